#!/bin/bash
# Somebody kills and stops the workers, or their nursery, while 2,000 mails are read: each mail is stored once and none is a
# problem; without the nursery the run ends and leaves its mails. MAILS, KILLS: how many; SEED: of the moments.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/postgres.sh
. tests/lib/whole.sh

mails=${MAILS:-2000} kills=${KILLS:-20} seed=${SEED:-$RANDOM}
RANDOM=$seed
dir=$(mktemp -d)
trap '[ -z "${run:-}" ] || kill -9 $run 2>/dev/null; pg_stop; rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir "$dir/pg"
bench/generate.py --reports "$mails" --records-mean 3 --out "$dir/mails" --truth "$dir/truth" && pg_start "$dir/pg" || exit 1

# begin DATABASE: reads them all in the background, four workers at once
begin()
{
    pg_newdb "$1" && build/whosends --database "$PG_CONNINFO" init >/dev/null 2>&1 || exit 1
    build/whosends --database "$PG_CONNINFO" --set limits.worker_seconds=1 ingest --workers 4 "$dir/mails" >"$dir/out" 2>&1 &
    run=$!
}

# children PID: one a line, the oldest first
children()
{
    cat "/proc/$1/task/$1/children" 2>/dev/null | tr ' ' '\n' | grep .
}

# Waits for a worker that may be killed; leaves $nursery and $worker.
find_worker()
{
    local i
    for ((i = 0; i < 500; i++)); do
        nursery=$(children $run | head -n 1)
        worker=$(children "${nursery:-0}" | shuf -n 1 --random-source=<(yes $RANDOM))
        [ -n "$worker" ] && return 0
        kill -0 $run 2>/dev/null || return 1
        sleep 0.01
    done
    return 1
}

# all_well TITLE
all_well()
{
    wait $run
    status=$?
    run=
    [ $status = 0 ] && grep -q "^$mails mails: $mails stored, 0 duplicate, 0 without report, 0 problems" "$dir/out"
    ok $? "$1: every mail is stored, and none is a problem" "status $status" "$dir/out"
    [ "$(psql -X -A -t -c 'SELECT count(*), count(DISTINCT sha256) FROM dmarc_store.message')" = "$mails|$mails" ]
    ok $? "$1: the ledger has each once"
    check_sums "$1" "$dir/truth"
}

begin killed
killed=0
while [ $killed -lt "$kills" ] && find_worker; do
    kill -9 "$worker" 2>/dev/null && killed=$((killed + 1))
    sleep "0.0$((RANDOM % 30 + 10))"
done
[ $killed -ge $((kills / 4)) ]
ok $? "$killed workers are killed at random"
all_well 'workers are killed'

# The only one, before it has anything to do.
pg_newdb newborn && build/whosends --database "$PG_CONNINFO" init >/dev/null 2>&1 || exit 1
python3 - build/whosends --database "$PG_CONNINFO" ingest --workers 1 "$dir/mails" >"$dir/out" 2>&1 <<'END'
import os, signal, subprocess, sys

def children(pid):
    try:
        return open(f"/proc/{pid}/task/{pid}/children").read().split()
    except OSError:
        return []

run = subprocess.Popen(sys.argv[1:])
killed = set()
while len(killed) < 2 and run.poll() is None:
    for worker in [int(w) for nursery in children(run.pid) for w in children(nursery)]:
        if worker not in killed:
            os.kill(worker, signal.SIGKILL)
            killed.add(worker)
print(f"{len(killed)} killed, status {run.wait()}")
END
[ "$(tail -n 1 "$dir/out")" = '2 killed, status 0' ]
ok $? 'two workers are killed at their start, one after the other: the third reads on' "$dir/out"
check_sums 'killed at their start' "$dir/truth"

begin stopped
find_worker && kill -STOP "$worker"
ok $? 'a worker is stopped'
all_well 'a worker is stopped'
! kill -0 "$worker" 2>/dev/null
ok $? 'a worker is stopped: it is gone afterwards'

begin orphaned
find_worker && kill -9 "$nursery"
ok $? 'the nursery is killed'
wait $run
status=$?
run=
[ $status = 75 ] && grep -q 'could not start a worker: the nursery of the workers is gone' "$dir/out"
ok $? 'the nursery is killed: the run ends with 75 and says so' "status $status" "$dir/out"
[ "$(psql -X -A -t -c "SELECT count(*) FROM dmarc_store.message WHERE outcome <> 'stored'")" = 0 ]
ok $? 'the nursery is killed: no mail is to blame'
build/whosends --database "$PG_CONNINFO" ingest --quiet "$dir/mails" >"$dir/out" 2>&1
ok $? 'the nursery is killed: the next run goes on' "$dir/out"
check_sums 'the next run' "$dir/truth"
echo "# seed $seed"
echo "1..$n"
exit $failed
