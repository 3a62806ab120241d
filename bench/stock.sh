# shellcheck shell=bash disable=SC2154,SC2015
# A large database that is made once and used again: sourced after lib.sh, not run. RECORDS records (10,000,000) about DOMAINS
# domains (2000) by Zipf, of 200 reporters, over a year, 25 records a report, loaded by whosends itself without originals. It
# lies in BENCH_DIR ($TMPDIR/whosends-bench) with its mails and its server; whoever has no more use for it removes that. A
# database of other sizes, or of another schema, is made anew.
#
# stock_start makes what is missing and starts the server. Afterwards the database "stock" is whole, stages_of_stock prints
# the databases that were kept on the way and their records, and $stock/truth and $stock/disk tell of it.

records=${RECORDS:-10000000} domains=${DOMAINS:-2000}
stock=${BENCH_DIR:-${TMPDIR:-/tmp}/whosends-bench}
reports=$((records / 25))
mails_a_file=400

# The numbers of reports at which it is looked at.
stages()
{
    local n
    for n in 400 4000 40000 200000; do
        [ $n -ge "$reports" ] || echo $n
    done
    echo "$reports"
}

stages_of_stock()
{
    cat "$stock/stages"
}

stock_mails()
{
    local what
    what="$records $domains $(sha256sum <bench/generate.py)"
    same_as "$stock/mails.made" "$what" && return
    step "making $reports mails of about $records records in $stock"
    rm -rf "$stock/mails" "$stock/mails.made"
    mkdir -p "$stock/mails" || exit 1
    bench/generate.py --reports "$reports" --records-mean 25 --domains "$domains" --days 365 --mbox "$stock/mails/part" \
        --split $mails_a_file --truth "$stock/truth" || exit 1
    echo "$what" >"$stock/mails.made"
}

# Bytes by relation, partitions together, and of all.
stock_disk()
{
    psql -X -A -t -F $'\t' -d stock <<'END'
WITH relation AS (
    SELECT n.nspname || '.' || regexp_replace(c.relname, '_(other|[0-9]{6})$', '') AS name, pg_table_size(c.oid) AS own,
           pg_indexes_size(c.oid) AS indexes
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('dmarc', 'dmarc_store') AND c.relkind IN ('r', 'm')
)
SELECT coalesce(name, '*'), sum(own), sum(indexes), sum(own + indexes) FROM relation GROUP BY ROLLUP (name) ORDER BY 4 DESC
END
}

stock_load()
{
    local from=0 upto now list
    build/whosends --database "$(conninfo stock)" init >"$dir/out" 2>&1 || die "$(cat "$dir/out")"
    : >"$stock/stages"
    : >"$stock/load"
    for upto in $(stages); do
        step "loading reports $from to $upto of $reports"
        list=("$stock"/mails/part.*)
        ingest stock --set whosends.keep_originals=none "${list[@]:from / mails_a_file:(upto - from + mails_a_file - 1) / mails_a_file}"
        build/whosends --database "$(conninfo stock)" maintain --quiet >"$dir/out" 2>&1 || die "$(cat "$dir/out")"
        psql -X -q -d stock -c 'VACUUM ANALYZE' -c CHECKPOINT
        now=$(psql -X -A -t -d stock -c 'SELECT count(*) FROM dmarc.record')
        printf '%s\t%s\t%s\t%s\n' "$now" "$client" "$server" "$elapsed" >>"$stock/load"
        # The disk of the stage nearest to five million is the one that counts.
        [ "$now" -gt 6000000 ] && [ -s "$stock/disk" ] || { stock_disk >"$stock/disk"; echo "$now" >"$stock/disk.records"; }
        if [ "$upto" = "$reports" ]; then
            printf 'stock\t%s\n' "$now" >>"$stock/stages"
        elif [ "$upto" != 200000 ]; then
            fresh "stage_$upto" stock
            printf 'stage_%s\t%s\n' "$upto" "$now" >>"$stock/stages"
        fi
        from=$upto
    done
    step 'comparing with the truth'
    right stock "$stock/truth"
}

stock_start()
{
    local what
    stock_mails
    what="$(cat "$stock/mails.made") $(cat sql/0*.sql | sha256sum)"
    trap 'pg_halt; pg_stop; rm -rf "$dir"' EXIT
    if ! same_as "$stock/server.made" "$what"; then
        rm -rf "$stock/server" "$stock/server.made" "$stock/disk"
    fi
    # The server's user has to get there, whatever the umask.
    mkdir -p "$stock/server" && chmod go+x "$stock" && pg_start "$stock/server" "${PG_DEFAULTS[@]}" || exit 1
    if [ ! -e "$stock/server.made" ]; then
        psql -X -q -d template1 -c 'CREATE DATABASE stock' || exit 1
        stock_load
        echo "$what" >"$stock/server.made"
    else
        # Views and functions as this version has them.
        build/whosends --database "$(conninfo stock)" init >"$dir/out" 2>&1 || die "$(cat "$dir/out")"
    fi
}
