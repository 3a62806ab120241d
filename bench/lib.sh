# shellcheck shell=bash disable=SC2034,SC2015
# What the benchmarks share: sourced in the top directory of the project, not run. It makes $dir, a directory that is gone at
# the end, together with the server that pg_start started.
. tests/lib/postgres.sh
. tests/lib/whole.sh

rounds=${ROUNDS:-3}
dir=$(mktemp -d)
trap 'pg_stop; rm -rf "$dir"' EXIT
: >"$dir/values"
export LC_ALL=C.UTF-8

# The settings of pg_start are those of tests; these give back PostgreSQL's own.
PG_DEFAULTS=(fsync=on full_page_writes=on synchronous_commit=on shared_buffers=128MB max_wal_size=1GB)

step()
{
    printf -- '-- %s\n' "$*" >&2
}

die()
{
    printf '%s\n' "$@" >&2
    exit 1
}

conninfo()
{
    echo "host=$PG_SOCKETS port=5432 user=postgres dbname=$1"
}

# same_as FILE TEXT: whether the file has that text
same_as()
{
    [ "$(cat "$1" 2>/dev/null)" = "$2" ]
}

# make_template: the schema in the database "postgres", with partitions for the month that the generator's mails are about by
# default: those would be there, made ahead, and "init" makes them for a while before its own day only.
make_template()
{
    build/whosends --database "$(conninfo postgres)" init >"$dir/out" 2>&1 || die "$(cat "$dir/out")"
    psql -X -q -d postgres -o "$dir/out" 2>"$dir/error" \
        -c "SELECT dmarc_store.make_month('2026-10-01', t) FROM unnest(dmarc_store.month_tables()) t" || die "$(cat "$dir/error")"
}

# fresh NAME TEMPLATE: the database NAME once more, as a copy, with its catalogue cache and with nothing left to write.
fresh()
{
    psql -X -q -d template1 -c "DROP DATABASE IF EXISTS $1" -c "CREATE DATABASE $1 TEMPLATE $2 STRATEGY file_copy" 2>"$dir/error" &&
        psql -X -q -d "$1" -c CHECKPOINT || die "cannot make the database $1:" "$(cat "$dir/error")"
}

# CPU seconds of the server: of its first process, its children, and those that are gone.
server_cpu()
{
    local first pid
    sleep 0.3
    first=$(head -n 1 "$PG_DIR/data/postmaster.pid")
    for pid in $first $(pgrep -P "$first"); do
        awk -v hertz="$(getconf CLK_TCK)" -v whole=$((pid == first)) \
            '{ sub(/.*\) /, ""); print ($12 + $13 + (whole ? $14 + $15 : 0)) / hertz }' "/proc/$pid/stat"
    done 2>/dev/null | awk '{ sum += $1 } END { printf "%.2f\n", sum }'
}

# calculate EXPRESSION: of awk.
calculate()
{
    awk "BEGIN { printf \"%.6f\n\", $1 }"
}

# cost COMMAND...: runs it and sets client (with its children), server, both: CPU seconds; elapsed: seconds; peak: MiB of the
# largest of its processes. What it says is in $dir/out. One that fails ends the benchmark.
cost()
{
    local before user system kib
    before=$(server_cpu)
    tests/lib/measure.py "$dir/cost" "$@" >"$dir/out" 2>&1 || die "failed: ${*:1:8}" "$(head -n 20 "$dir/out")"
    read -r user system elapsed kib <"$dir/cost"
    client=$(calculate "$user + $system")
    server=$(calculate "$(server_cpu) - $before")
    both=$(calculate "$client + $server")
    peak=$(calculate "$kib / 1024")
}

# ingest DATABASE [ARGUMENT]...: what that costs.
ingest()
{
    cost build/whosends --database "$(conninfo "$1")" ingest --quiet "${@:2}"
}

# right DATABASE TRUTH: ends the benchmark unless the database has in it what the generator made.
right()
{
    cut -f 1,3- "$2" | tail -n +3 | LC_ALL=C sort >"$dir/wanted"
    [ -s "$dir/wanted" ] && PGDATABASE=$1 sums c.dkim_aligned c.spf_aligned | diff "$dir/wanted" - >"$dir/diff" ||
        die "the rows are not those of the generator's truth (domain, reports, records, messages, aligned by DKIM, by SPF):" \
            "$(head -n 20 "$dir/diff")"
}

# huge RECORDS DIR: one report of so many records as a mail in DIR/mails, and DIR/truth
huge()
{
    mkdir -p "$2/mails"
    bench/generate.py --xml "$2/report.xml.gz" --gz --fixed "$1" --truth "$2/truth" || exit 1
    {
        printf '%s\n' 'From: noreply@reporter.example' 'Subject: Report domain: example.com' 'MIME-Version: 1.0' \
            'Message-ID: <huge@reporter.example>' 'Content-Type: application/gzip' 'Content-Transfer-Encoding: base64' ''
        base64 "$2/report.xml.gz"
    } >"$2/mails/report.eml"
    rm "$2/report.xml.gz"
}

# note NAME VALUE: one round's value of a figure
note()
{
    printf '%s\t%s\n' "$1" "$2" >>"$dir/values"
}

# median NAME: of what was noted, and the least and the greatest
median()
{
    awk -F '\t' -v name="$1" '$1 == name { print $2 }' "$dir/values" | sort -g |
        awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2, v[1], v[NR] }'
}

# row NAME MEDIAN LEAST GREATEST UNIT [TARGET]: a line of the table, and with a target one of the table at the end of
# `make bench`. A target is "<= 2.0", "< 64" or ">= 1.6".
row()
{
    awk -v name="$1" -v median="$2" -v least="$3" -v greatest="$4" -v unit="$5" -v target="${6-}" '
        function short(x) { return sprintf(x >= 100 ? "%.0f" : x >= 10 ? "%.1f" : x >= 1 ? "%.2f" : "%.3f", x) }
        BEGIN {
            split(target, t, " ")
            met = t[1] == "<" ? median < t[2] : t[1] == "<=" ? median <= t[2] : median >= t[2]
            printf "%-62s %9s %9s %9s %-6s %-8s %s\n", name, short(median), short(least), short(greatest), unit, target,
                target == "" ? "" : met ? "met" : "not met"
        }' | sed 's/ *$//' | tee "$dir/row"
    [ -z "${6-}" ] || [ -z "${BENCH_RESULTS-}" ] || cat "$dir/row" >>"$BENCH_RESULTS"
}

# show NAME UNIT [TARGET]: the row of what was noted, or none
show()
{
    grep -qF "$1	" "$dir/values" || return 0
    # shellcheck disable=SC2046
    row "$1" $(median "$1") "$2" "${3-}"
}

heading()
{
    printf '\n%s\n%-62s %9s %9s %9s %-6s %-8s\n' "$1" figure median least greatest unit target | sed 's/ *$//'
}
