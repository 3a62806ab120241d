#!/bin/bash
# The machine has no room, no memory, no files left, another clock's place and language, and signals come at any moment: what is
# not committed stays where it is, and the next run counts each mail once.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/postgres.sh
. tests/lib/whole.sh
. tests/lib/dovecot.sh
. tests/lib/fault.sh

dir=$(mktemp -d)
trap 'dovecot_stop; pg_stop; rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir "$dir/pg" "$dir/dovecot"
pg_start "$dir/pg" && dovecot_start "$dir/dovecot" && pg_newdb machine && make_mails 30 4 || exit 1
maildir=$MAILDIR program=build/whosends
configure
run=("$program" --config "$dir/conf" ingest)
send_group
run_clean || { cat "$dir/out"; exit 1; }

# recovers TITLE: after whatever happened, a clean run makes all well
recovers()
{
    holds copies && run_clean && holds done
    ok $? "$1: nothing is half done, and the next run does the rest" "$dir/wrong" "$dir/out"
}

# Output that goes nowhere does not undo what was committed.
send_group
timeout 60 "${run[@]}" >/dev/full 2>"$dir/out"
[ $? = 74 ] && holds done
ok $? 'standard output is full: said, and all mails are done' "$dir/out" "$dir/wrong"

send_group
timeout 60 "$program" --config "$dir/gone" ingest >"$dir/out" 2>&1
[ $? = 78 ]
ok $? 'no configuration: said' "$dir/out"
recovers 'no configuration'

for files in 4 6 8 12 20; do
    send_group
    (ulimit -n $files; timeout 60 "${run[@]}" >"$dir/out" 2>&1)
    status=$?
    [ $status -lt 128 ]
    ok $? "with $files open files it ends by itself, with $status" "$dir/out"
    recovers "with $files open files"
done
for memory in 30000 50000 70000 100000; do
    send_group
    (ulimit -c 0; ulimit -v $memory; timeout 60 "${run[@]}" >"$dir/out" 2>&1)
    recovers "with $memory KiB of memory, status $?"
done

# Temporary files have no room: the mail goes back to who brought it.
full=$dir/full
if mkdir "$full" && mount -t tmpfs -o size=1m tmpfs "$full" 2>/dev/null; then
    trap 'dovecot_stop; pg_stop; umount "$full"; rm -rf "$dir"' EXIT
    {
        printf '%s\n' 'From: a@example.net' 'Message-ID: <large@example.net>' 'Content-Type: application/octet-stream' ''
        head -c 20000000 /dev/zero | tr '\0' 'x' | fold -w 76
    } >"$dir/large"
    cat "$dir/large" | TMPDIR=$full timeout 60 "$program" --database "$PG_CONNINFO" ingest - >"$dir/out" 2>&1
    status=${PIPESTATUS[1]}
    [ $status = 75 ] && [ "$(psql -X -A -t -c "SELECT count(*) FROM dmarc_store.message WHERE source = 'stdin:'")" = 0 ]
    ok $? 'no room for temporary files: the status says to try again' "status $status" "$dir/out"
else
    n=$((n + 1))
    echo "ok $n - no room for temporary files # SKIP tmpfs cannot be mounted here"
fi

for place in 'TZ=Pacific/Kiritimati' 'TZ=America/St_Johns LC_ALL=C' 'LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8' 'LC_NUMERIC=de_DE.UTF-8 PGTZ=Asia/Kathmandu PGDATESTYLE=German'; do
    send_group
    timeout 60 env $place "${run[@]}" >"$dir/out" 2>&1
    went_well $? && holds done
    ok $? "$place" "$dir/out" "$dir/wrong"
done

RANDOM=${SEED:-$$}
for signal in TERM INT HUP TERM INT HUP; do
    send_group
    began=$EPOCHREALTIME
    # The shell lets a background job ignore SIGINT.
    python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "${run[@]}" >"$dir/out" 2>&1 &
    pid=$!
    sleep "0.$(printf %03d $((RANDOM % 250)))"
    kill -s $signal $pid 2>/dev/null
    asked=${EPOCHREALTIME/./}
    wait $pid 2>/dev/null
    status=$?
    [ $((${EPOCHREALTIME/./} - asked)) -lt 5000000 ]
    ok $? "SIG$signal: ends within 5 s, with $status" "began $began" "$dir/out"
    recovers "SIG$signal"
done
send_the_rest
run_clean
holds done
ok $? 'a last run' "$dir/wrong" "$dir/out"
check_sums 'after all of it' "$dir/truth"
echo "1..$n"
exit $failed
