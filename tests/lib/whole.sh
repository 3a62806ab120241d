# What the tests of whole runs share: sourced, not run. They have a directory of their own in $dir, and a database that psql
# finds by its environment.

n=0 failed=0
unset WHOSENDS_DATABASE WHOSENDS_CONFIG

# ok STATUS TITLE [REMARK]...: of a failure each remark is shown, the beginning of it where it is a file.
ok()
{
    local remark
    n=$((n + 1))
    if [ "$1" = 0 ]; then
        echo "ok $n - $2"
        return
    fi
    failed=1
    for remark in "${@:3}"; do
        if [ -f "$remark" ]; then head -n 40 "$remark"; else printf '%s\n' "$remark"; fi | sed 's/^/# /'
    done
    echo "not ok $n - $2"
}

# sums DKIM SPF: domain, reports, records, messages, and the messages for which these conditions on a record hold.
sums()
{
    psql -X -A -t -F $'\t' -c "SELECT r.domain, count(DISTINCT r.id), count(*), sum(c.message_count),
            coalesce(sum(c.message_count) FILTER (WHERE $1), 0), coalesce(sum(c.message_count) FILTER (WHERE $2), 0)
        FROM dmarc_store.report r JOIN dmarc.record c ON c.report = r.id AND c.domain = r.domain AND c.day = r.day GROUP BY r.domain" | LC_ALL=C sort
}

# check_sums TITLE TRUTH: the sums, by our own reckoning, are the generator's truth.
check_sums()
{
    cut -f 1,3- "$2" | tail -n +3 | LC_ALL=C sort >"$dir/wanted"
    sums c.dkim_aligned c.spf_aligned | diff "$dir/wanted" - >"$dir/diff" && [ -s "$dir/wanted" ]
    ok $? "$1: the sums are the generator's truth" "$dir/diff"
}
