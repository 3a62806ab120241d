#!/bin/bash
# A year of mails about many domains, with senders in it of whom is known what whosends has to call them (bench/year.py): whether
# all are found, none is called wrong and the figures are right, before and after the owners approve and disown; and how long each
# report takes from a warm database, the whole command. What is not right ends in failure. The database stays in BENCH_DIR, as
# that of stock.sh does, and is made anew for other sizes, other plants or another schema.
#
# usage: bench/year.sh     RECORDS (5000000); DOMAINS (2000); BENCH_DIR; TIMES: how often each is asked (5)
# shellcheck disable=SC2154
set -u
cd "$(dirname "$0")/.." || exit 1
. bench/lib.sh
records=${RECORDS:-5000000} domains=${DOMAINS:-2000} times=${TIMES:-5}
year=${BENCH_DIR:-${TMPDIR:-/tmp}/whosends-bench}/year
last_day=2026-10-31
unset WHOSENDS_CONFIG WHOSENDS_DATABASE

year_mails()
{
    local what
    what="$records $domains $(cat bench/generate.py bench/planted.py bench/year.py bench/year.txt sql/sender*.csv | sha256sum)"
    same_as "$year/mails.made" "$what" && return
    step "making mails of about $records records in $year"
    rm -rf "$year/mails" "$year/mails.made" "$year/truth"
    mkdir -p "$year/mails" || exit 1
    bench/year.py make --records "$records" --domains "$domains" --mbox "$year/mails/part" --split 1000 --truth "$year/truth" || exit 1
    echo "$what" >"$year/mails.made"
}

whosends()
{
    build/whosends --database "$(conninfo year)" "$@"
}

# planted TRUTH: what whosends says of all is what was planted; how much that is goes into $year/found.TRUTH
planted()
{
    local report failed=
    step "comparing with what was planted, $1 the owners' word"
    : >"$year/found.$1"
    for report in senders summary; do
        whosends $report --format json >"$dir/answer" 2>"$dir/error" || die "$(cat "$dir/error")"
        bench/year.py compare "$year/truth/$1" $report "$dir/answer" >"$dir/counts" || failed=1
        echo "$1 the owners' word, $(cat "$dir/counts")" | tee -a "$year/found.$1" >&2
    done
    [ -z "$failed" ] || die 'what whosends says is not what was planted'
}

year_load()
{
    psql -X -q -d template1 -c 'CREATE DATABASE year' || exit 1
    whosends init >"$dir/out" 2>&1 || die "$(cat "$dir/out")"
    step 'loading'
    ingest year --set whosends.keep_originals=none "$year"/mails/part.*
    printf '%s\t%s\t%s\n' "$client" "$server" "$elapsed" >"$year/load"
    cost build/whosends --database "$(conninfo year)" maintain --quiet
    psql -X -q -d year -c 'VACUUM ANALYZE' -c CHECKPOINT
}

year_words()
{
    local verb domain sender
    step "what the owners say, $(wc -l <"$year/truth/words") words"
    while IFS=$'\t' read -r verb domain sender; do
        whosends "$verb" "$domain" "$sender" >"$dir/out" 2>&1 || die "$verb $domain $sender:" "$(cat "$dir/out")"
    done <"$year/truth/words"
    cost build/whosends --database "$(conninfo year)" maintain --quiet
    psql -X -q -d year -c 'VACUUM ANALYZE' -c CHECKPOINT
}

# timed ANSWERED ARGUMENT...: runs the command so often that it is worth a median, with what it says in a file, and sets median,
# least and greatest, elapsed milliseconds, and used, those of CPU of client and server. ANSWERED: the exit statuses of an answer.
timed()
{
    local i status before user system client=0 values=()
    for ((i = 0; i <= times; i++)); do
        [ $i != 1 ] || before=$(server_cpu)
        status=0
        tests/lib/measure.py "$dir/cost" build/whosends --database "$(conninfo year)" "${@:2}" >"$dir/answer" 2>"$dir/error" || status=$?
        [[ " $1 " == *" $status "* ]] || die "failed: ${*:2}" "$(cat "$dir/error")"
        # The first one warms up; what takes long is asked once more.
        read -r user system elapsed _ <"$dir/cost"
        [ $i != 0 ] || continue
        values+=("$elapsed")
        client=$(calculate "$client + $user + $system")
        [ "${elapsed%.*}" -lt 10 ] || break
    done
    used=$(calculate "($client + $(server_cpu) - $before) * 1000 / ${#values[@]}")
    read -r median least greatest < <(printf '%s\n' "${values[@]}" | sort -g |
        awk '{ v[NR] = $1 * 1000 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2, v[1], v[NR] }')
}

# asked NAME ANSWERED WHERE ARGUMENT...: one cell of the table; WHERE is domain or all, and the slowest is kept for each of both.
asked()
{
    step "$1: ${*:4}"
    timed "$2" "${@:4}"
    printf ' %8.0f' "$median" >>"$dir/table"
    printf ' %8.0f' "$used" >>"$dir/cpu"
    printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$3" "$median" "$least" "$greatest" >>"$dir/times"
}

# report NAME ANSWERED ARGUMENT...: over a month and over the year, for each of the domains and for all.
report()
{
    local domain
    printf '%-24s' "$1" | tee -a "$dir/cpu" >>"$dir/table"
    for domain in "${chosen[@]}"; do
        asked "$1" "$2" domain "${@:3}" "$domain" --last 30d --until $last_day
        asked "$1" "$2" domain "${@:3}" "$domain" --last 365d --until $last_day
    done
    asked "$1" "$2" all "${@:3}" --last 30d --until $last_day
    asked "$1" "$2" all "${@:3}" --last 365d --until $last_day
    echo | tee -a "$dir/cpu" >>"$dir/table"
}

# The address of a domain from which most messages come.
address_of()
{
    whosends sources "$1" --limit 1 --format csv | sed 1d | cut -d , -f 2
}

year_mails
what="$(cat "$year/mails.made") $(cat sql/0*.sql | sha256sum)"
trap 'pg_halt; pg_stop; rm -rf "$dir"' EXIT
same_as "$year/server.made" "$what loaded" || same_as "$year/server.made" "$what told" ||
    rm -rf "$year/server" "$year/server.made"
# The server's user has to get there, whatever the umask.
mkdir -p "$year/server" && chmod go+x "${year%/*}" "$year" && pg_start "$year/server" "${PG_DEFAULTS[@]}" || exit 1
if [ ! -e "$year/server.made" ]; then
    year_load
    echo "$what loaded" >"$year/server.made"
else
    # Views, functions and classes as this version has them.
    step 'bringing the database up to date'
    { whosends init && whosends maintain --quiet; } >"$dir/out" 2>&1 || die "$(cat "$dir/out")"
fi
if ! same_as "$year/server.made" "$what told"; then
    step 'comparing the records with the truth'
    right year "$year/truth/totals"
    planted before
    # Who is interrupted from here on has a database that is neither.
    rm "$year/server.made"
    year_words
    echo "$what told" >"$year/server.made"
fi
planted after
pg_halt
pg_start "$year/server" "${PG_DEFAULTS[@]}" autovacuum=off || exit 1

# The domain with most records, the one in which half of all is reached, and the one with least.
mapfile -t chosen < <(sed 1,2d "$year/truth/totals" | sort -t $'\t' -k 4,4nr | awk -F '\t' '
    { name[NR] = $1; sum[NR] = sum[NR - 1] + $4 }
    END { for (i = 1; sum[i] < sum[NR] / 2; i++); print name[1]; print name[i]; print name[NR] }')
for domain in "${chosen[@]}"; do
    awk -F '\t' -v domain="$domain" '$1 == domain { printf "%s: %d records\n", domain, $4 }' "$year/truth/totals"
done >"$dir/chosen"

: >"$dir/table"
: >"$dir/cpu"
report summary 0 summary
report senders 0 senders
report 'senders --new' 0 senders --new
report 'senders --class' 0 senders --class unknown
report sources 0 sources
report 'sources --by net' 0 sources --by net
report failures 0 failures
report timeline 0 timeline
report reporters 0 reporters
report 'reporters --disagree' 0 reporters --disagree
report policy 0 policy
report overrides 0 overrides
report subdomains 0 subdomains
report coverage 0 coverage
report changes 0 changes
report verdict '0 1' verdict
printf '%-24s' explain | tee -a "$dir/cpu" >>"$dir/table"
for domain in "${chosen[@]}"; do
    asked explain 0 domain explain "$domain" "$(address_of "$domain")"
    printf ' %8s' - | tee -a "$dir/cpu" >>"$dir/table"
done
printf '\n%-24s' html | tee -a "$dir/cpu" >>"$dir/table"
for domain in "${chosen[@]}"; do
    asked html 0 domain html -o "$dir/pages" "$domain" --last 90d --until $last_day
    asked html 0 domain html -o "$dir/pages" "$domain" --last 365d --until $last_day
done
echo | tee -a "$dir/cpu" >>"$dir/table"

printf '\nWhat was planted, in %s records of %s domains\n' "$(sed -n 's/^\*\t//p' "$year/truth/totals" | cut -f 3)" "$domains"
cat "$year/found.before" "$year/found.after"
awk -F '\t' '{ printf "loaded with CPU seconds: %.0f client, %.0f server; elapsed %.0f s\n", $1, $2, $3 }' "$year/load"
printf '\nThe domains:\n'
cat "$dir/chosen"
# matrix FILE TITLE
matrix()
{
    printf '\n%s, as medians over a month and a year (html: three months and a year; explain: all)\n%-24s %17s %17s %17s %17s\n' "$2" '' \
        'largest domain' 'middling domain' 'smallest domain' 'all domains'
    printf '%-24s %8s %8s %8s %8s %8s %8s %8s %8s\n' report month year month year month year month year
    cat "$1"
}
matrix "$dir/table" 'Each report, warm: elapsed milliseconds of the whole command'
matrix "$dir/cpu" 'The same: CPU milliseconds of client and server'

heading 'The slowest of each report'
for where in domain all; do
    while IFS=$'\t' read -r name median least greatest; do
        row "$name, $([ $where = all ] && echo "all $domains domains" || echo 'one domain')" "$median" "$least" "$greatest" ms \
            "<= $([ $where = all ] && echo 3000 || echo 300)"
    done < <(awk -F '\t' -v where=$where '$2 == where { if (!($1 in median)) order[++n] = $1
            if ($3 > median[$1]) { median[$1] = $3; line[$1] = $1 "\t" $3 "\t" $4 "\t" $5 } }
        END { for (i = 1; i <= n; i++) print line[order[i]] }' "$dir/times")
done
