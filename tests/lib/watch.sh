# "whosends ingest --watch" with a PostgreSQL, a Dovecot and a service manager's ear: sourced after cli.sh, postgres.sh and
# dovecot.sh. The mails are of user dmarc, or of others that are added to $dir/imap/users.

chmod 711 "$dir"
conf=$dir/whosends.conf
notify_pid= watch_pid=

watch_cleanup() {
    test -z "$watch_pid" || kill -KILL "$watch_pid" 2>/dev/null
    test -z "$notify_pid" || kill "$notify_pid" 2>/dev/null
    dovecot_stop
    pg_stop
}

# configure: a file with the database and standard input
configure() {
    (umask 077 && { printf '[whosends]\ndatabase = %s\n' "$PG_CONNINFO" && cat; } >"$conf.new") && mv "$conf.new" "$conf"
}
# configure_one [LINE]...: one account, and more of it
configure_one() {
    configure <<CONF
[imap]
host = localhost
port = $IMAPS_PORT
ca_file = $CA_FILE
user = dmarc
password = secret
$(printf '%s\n' "$@")
CONF
}

# listen: what the service manager hears goes to $dir/heard
listen() {
    : >"$dir/heard"
    python3 tests/lib/notify_listener.py "${1:-$dir/notify}" "$dir/heard" &
    notify_pid=$!
    export NOTIFY_SOCKET="${1:-$dir/notify}"
    for _ in $(seq 50); do
        grep -q "${1:-$dir/notify}" /proc/net/unix && return
        sleep 0.05
    done
}

# watch [OPTION]...: begins to watch, in the background
watch() {
    : >"$dir/log"
    : >"$dir/heard"
    "$program" --config "$conf" ingest --watch "$@" >"$dir/out" 2>"$dir/log" </dev/null &
    watch_pid=$!
}
# until SECONDS COMMAND...: it succeeds in this time; else it is shown what was said
until_true() {
    local end=$(($(date +%s%N) + $1 * 1000000000))
    shift
    while ! "$@"; do
        test "$(date +%s%N)" -lt "$end" || return 1
        sleep 0.05
    done
}
# eventually TITLE SECONDS COMMAND...
eventually() {
    local title=$1
    shift
    if until_true "$@"; then ok "$title"; else not_ok "$title" "$(tail -n 12 "$dir/log")" "$(tail -n 5 "$dir/heard")"; fi
}
heard() { grep -q "$1" "$dir/heard"; }
said() { grep -q "$1" "$dir/log"; }
times_heard() { grep -c "$1" "$dir/heard"; }
heard_times() { test "$(times_heard "$2")" -ge "$1"; }
count_is() { test "$(psql -X -A -t -c "$1" 2>/dev/null)" = "$2"; }
# deliver NAME [USER [FOLDER]]: a mail without a report
deliver() {
    local box=$dir/imap/home/${2:-dmarc}/Maildir/${3:-}
    mkdir -p "$box"/new "$box"/cur "$box"/tmp
    printf 'Message-ID: <%s@a.example>\nSubject: %s\n\nnothing in it\n' "$1" "$1" >"$box/tmp/$1"
    chown -R "$(dovecot_owner):" "$dir/imap/home"
    mv "$box/tmp/$1" "$box/new/$1"
}
in_ledger() { count_is "SELECT count(*) FROM dmarc_store.message WHERE subject LIKE '$1'" "$2"; }
# test_folder DIRECTORY N: so many mails are in it
test_folder() { test "$(mails_in "$1")" = "$2"; }
inbox_has() { test "$(mails_in)" = "$1"; }
# The processes that it started, one a line.
children() { pgrep -P "$watch_pid" -f watched; }
# stop_watch TITLE [SIGNAL]: it ends in five seconds, with status 0, and nothing of it is left
stop_watch() {
    local began=$(date +%s%N) all status=0
    all="$(children)"
    kill -s "${2:-TERM}" "$watch_pid"
    wait "$watch_pid" || status=$?
    is "$1: ends with status 0" "$status" 0
    local took=$((($(date +%s%N) - began) / 1000000))
    if test "$took" -lt 5000; then ok "$1: within five seconds"; else not_ok "$1: within five seconds" "$took ms"; fi
    is "$1: by themselves" "$(grep 'did not end in time' "$dir/log")" ""
    local left=
    for process in $all; do test -d "/proc/$process" && left="$left $process"; done
    is "$1: and so do all of its processes" "$left" ""
    watch_pid=
}

# make_mails N: reports to send
make_mails() {
    bench/generate.py --reports "$1" --records-mean 3 --domains 10 --out "$dir/mails" --truth "$dir/truth" &&
        chown -R "$(dovecot_owner):" "$dir/mails"
}
# send FIRST LAST: these mails, one after the other
send() {
    local files=("$dir"/mails/*) i
    for ((i = $1; i <= $2; i++)); do mv "${files[0]}" "$MAILDIR/new/$i.mail"; files=("${files[@]:1}"); done
}
ledger_is() { count_is 'SELECT count(*) FROM dmarc_store.message' "$1"; }
# all_of N TITLE: all of so many mails are in the ledger once, stored, and moved
all_of() {
    until_true 15 ledger_is "$1"
    until_true 5 inbox_has 0
    is "$2" "$(psql -X -A -t -F ' ' -c 'SELECT count(*), count(DISTINCT sha256), count(*) FILTER (WHERE outcome = $$stored$$), (SELECT count(*) FROM dmarc_store.report) FROM dmarc_store.message') $(mails_in .Processed) $(mails_in)" "$1 $1 $1 $1 $1 0"
}
