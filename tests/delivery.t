#!/bin/bash
# Mails delivered one by one on standard input, as a mail transport does: many at once, twice, cut off, killed, and with a
# database that is not there for it. 0 means that the mail is in the ledger, 75 that it is to be kept, and nothing else comes.
. tests/lib/cli.sh
. tests/lib/postgres.sh
chmod 711 "$dir"
cleanup() {
    pg_stop
    "$program" stop >/dev/null 2>&1
}
pg_start "$dir/pg" && pg_newdb delivery || exit 1
many=50
bench/generate.py --reports $((many + 10)) --records-mean 3 --seed 7 --out "$dir/made" --truth "$dir/truth" || exit 1
mails=("$dir"/made/*)

# ask SQL: one value
ask() {
    psql -X -A -t -c "$1" 2>&1
}
# deliver_many: the first mails all at once; leaves how many ended with which status in $dir/statuses
deliver_many() {
    local i pids=()
    : >"$dir/err"
    for ((i = 0; i < many; i++)); do
        "$program" ingest --quiet - <"${mails[i]}" >/dev/null 2>>"$dir/err" &
        pids+=($!)
    done
    for i in "${pids[@]}"; do
        wait "$i"
        echo $?
    done >"$dir/each"
    sort "$dir/each" | uniq -c | sed 's/^ *//' >"$dir/statuses"
}
# in_parts FILE COMMAND...: the mail comes through a pipe in two parts, and the command is run in between, with the process in $pid
in_parts() {
    local size
    size=$(wc -c <"$1")
    rm -f "$dir/pipe"
    mkfifo "$dir/pipe"
    "$program" ingest - <"$dir/pipe" >"$dir/out" 2>"$dir/err" &
    pid=$!
    exec 8>"$dir/pipe"
    head -c $((size / 2)) "$1" >&8
    sleep 0.5
    "${@:2}"
    tail -c +$((size / 2 + 1)) "$1" >&8 2>/dev/null
    exec 8>&-
    status=0
    wait $pid 2>/dev/null || status=$?
}

# 50 at once, into an empty database.
export WHOSENDS_DATABASE="$PG_CONNINFO"
deliver_many
is "50 deliveries at once all succeed" "$(cat "$dir/statuses")" "$many 0"
test -s "$dir/err" && sed 's/^/# /' "$dir/err" | head -n 5
is "each is stored once" "$(ask "SELECT count(*), count(DISTINCT sha256), min(outcome), max(outcome) FROM dmarc_store.message")" \
    "$many|$many|stored|stored"
is "with its report" "$(ask "SELECT count(*) FROM dmarc_store.report")" $many

# The same mail twice at once, and it is new.
for i in 1 2; do "$program" ingest --quiet - <"${mails[many]}" >/dev/null 2>&1 & done
wait
is "two copies at once are one report and one duplicate" \
    "$(ask "SELECT string_agg(outcome, ' ' ORDER BY outcome) FROM dmarc_store.message WHERE id > $many")" "duplicate stored"
is "and one report" "$(ask "SELECT count(*) FROM dmarc_store.report")" $((many + 1))

# What cannot be read was not taken.
status=0
"$program" ingest - <"$dir" >"$dir/out" 2>"$dir/err" || status=$?
is "standard input that is a directory is no delivery" "$status $(ask "SELECT count(*) FROM dmarc_store.message WHERE code = 'unreadable'")" "75 0"
status=0
"$program" ingest - <&- >"$dir/out" 2>"$dir/err" || status=$?
is "nor is one that is closed" "$status $(ask "SELECT count(*) FROM dmarc_store.message WHERE code = 'unreadable'")" "75 0"

# What comes in other forms.
input=$dir/nothing
: >"$input"
run ingest -
check "nothing at all" 0 '^1 mail: 0 stored, 0 duplicate, ' ''
input=$dir/from
{ echo 'From dmarc@reporter.example Sat Nov 21 10:00:00 2026'; cat "${mails[many + 1]}"; } >"$input"
run ingest -
check "with a From_ line, as procmail hands it on" 0 '^1 mail: 1 stored' ''
input=$dir/crlf
sed 's/\r*$/\r/' "${mails[many + 2]}" >"$input"
run ingest -
check "with CR LF" 0 '^1 mail: 1 stored' ''
input=$dir/large
{
  printf '%s\n' 'Subject: large' 'MIME-Version: 1.0' 'Content-Type: multipart/mixed; boundary=b' '' '--b' \
    'Content-Type: application/octet-stream' 'Content-Transfer-Encoding: base64' ''
  head -c 75000000 /dev/zero | base64
  printf '%s\n' '--b'
  printf '%s\n' 'Content-Type: text/plain' '' 'the end' '--b--'; } >"$input"
run ingest -
check "100 MB are a mail without a report or one over the limit" 0 '^1 mail: 0 stored, ' ''
is "and it is in the ledger" "$(ask "SELECT count(*) FROM dmarc_store.message WHERE size > 100000000")" 1
rm "$input"
# What the first worker is not prepared for goes to another one.
input=$dir/encoded
printf '%s\n' 'From: =?koi8-r?B?8M/e1NE=?= <noreply@reporter.example>' 'Subject: =?iso-2022-jp?B?GyRCRnxLXBsoQg==?=' '' 'Hello' >"$input"
run ingest -
check "in rare encodings" 0 '^1 mail: 0 stored, 0 duplicate, 1 without report' ''
is "which are decoded" "$(ask "SELECT subject || ' ' || mail_from FROM dmarc_store.message ORDER BY id DESC LIMIT 1")" \
    '日本 Почтя <noreply@reporter.example>'
input=

# Cut off in the middle: nothing is stored, and what comes again is new.
before=$(ask "SELECT count(*) FROM dmarc_store.message")
in_parts "${mails[many + 4]}" eval 'kill -TERM $pid'
check "SIGTERM while the mail comes in" 75 '' 'stopped by a signal'
in_parts "${mails[many + 4]}" eval 'kill -KILL $pid'
is "kill -9 is no success" "$status" 137
is "nothing was stored of either" "$(ask "SELECT count(*) FROM dmarc_store.message")" "$before"
in_parts "${mails[many + 4]}" :
check "and whole it is stored" 0 '^1 mail: 1 stored' ''

# Whatever is wrong with the database: the mail is kept by the transport, which tries again.
before=$(ask "SELECT count(*) FROM dmarc_store.message")
input=${mails[many + 5]}
ask "ALTER DATABASE delivery SET default_transaction_read_only = on" >/dev/null
run ingest -
check "a read-only database" 75 '*' 'read-only'
psql -X -q -c "SET default_transaction_read_only = off" -c "ALTER DATABASE delivery RESET default_transaction_read_only"
full=$dir/full
mkdir "$full"
if mount -t tmpfs -o size=1m tmpfs "$full" 2>/dev/null; then
    cleanup() {
        pg_stop
        umount "$full"
        "$program" stop >/dev/null 2>&1
    }
    mkdir "$full/space" && chown "$(pg_owner):" "$full/space"
    psql -X -q -c "CREATE TABLESPACE small LOCATION '$full/space'" -c "ALTER DATABASE delivery SET temp_tablespaces = 'small'"
    dd if=/dev/zero of="$full/rest" bs=4k 2>/dev/null
    run --set whosends.database_wait=1 ingest -
    check "a full disk" 75 '*' '53100'
    ask "ALTER DATABASE delivery RESET temp_tablespaces" >/dev/null
else
    ok "a full disk # SKIP tmpfs cannot be mounted here"
fi
ask "CREATE ROLE poor LOGIN PASSWORD 'right'" >/dev/null
sed -i '1i local all poor scram-sha-256' "$PG_DIR/data/pg_hba.conf"
ask "SELECT pg_reload_conf()" >/dev/null
run --database "host=$PGHOST dbname=delivery user=poor password=wrong" ingest -
check "a wrong password" 75 '' 'password authentication failed'
run --database "host=$PGHOST dbname=delivery user=poor password=right" ingest -
check "a missing right" 75 '*' 'permission denied'
run --database "host=$PGHOST dbname=nowhere" ingest -
check "a database that is not there" 75 '' 'nowhere'
ask "ALTER ROLE poor CONNECTION LIMIT 0" >/dev/null
run --database "host=$PGHOST dbname=delivery user=poor password=right" ingest -
check "no connection left" 75 '' 'too many connections'
pg_halt
run ingest -
check "a server that is stopped" 75 '' 'could not reach the database'
run --config "$dir/missing.conf" ingest -
check "a configuration that is missing" 75 '' 'missing.conf'
run ingest --nonsense -
check "an option that is unknown" 75 '*' 'nonsense'
pg_restart
is "nothing was stored meanwhile" "$(ask "SELECT count(*) FROM dmarc_store.message")" "$before"
run ingest -
check "and then it is" 0 '^1 mail: 1 stored' ''

# 50 at once for a private cluster that is not there yet.
unset WHOSENDS_DATABASE
input=
deliver_many
is "50 deliveries that make and start a private cluster all succeed" "$(cat "$dir/statuses")" "$many 0"
test -s "$dir/err" && sed 's/^/# /' "$dir/err" | head -n 5
run sql -- -XAtc "SELECT count(*), count(DISTINCT sha256), min(outcome), max(outcome) FROM message"
is "each is stored once there, too" "$(cat "$dir/out")" "$many|$many|stored|stored"
finish
