#!/bin/bash
# Two ingesters at once on one mailbox, killed at random moments again and again, and started anew: in the end the mailbox is
# empty, each mail is in one place and in the ledger once, and the sums are the truth. Only those mails may be copied twice whose
# MOVE was under way when an ingester died, as the server goes on with it while the next one begins. MAILS, KILLS: how many; SEED: of mails and moments.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/postgres.sh
. tests/lib/whole.sh
. tests/lib/dovecot.sh
. tests/lib/fault.sh

dir=$(mktemp -d)
trap 'kill -9 "${ingesters[@]}" 2>/dev/null; dovecot_stop; pg_stop; rm -rf "$dir"' EXIT
mails=${MAILS:-600} kills=${KILLS:-12} seed=${SEED:-$RANDOM}
RANDOM=$seed
ingesters=()
chmod 755 "$dir"
mkdir "$dir/pg" "$dir/dovecot"
pg_start "$dir/pg" && dovecot_start "$dir/dovecot" && pg_newdb storm || exit 1
maildir=$MAILDIR
configure
echo "batch = 100" >>"$dir/conf"
program=${PROGRAM:-$program}
run=("$program" --config "$dir/conf" ingest)
"$program" --database "$PG_CONNINFO" init >/dev/null 2>&1
SEED=$seed make_mails 1 $((mails - 2)) || exit 1
# The kills are spread over the mails, so that the last ones find some, too.
mkdir "$dir/all" "$dir/sent" 2>/dev/null
find "$dir/groups/0" -type f -name '*.eml' | sort >"$dir/list"
total=$(wc -l <"$dir/list")
deliver_some()
{
    local file
    while read -r file; do
        cp "$file" "$dir/sent/"
        mv "$file" "$maildir/new/$((1700000000 + n_sent++)).${file##*/}.test"
    done
    chown -R "$(dovecot_owner):" "$maildir/new"
}
n_sent=0
start()
{
    rm -f "$dir/steps.$1"
    WHOSENDS_STEPS="$dir/steps.$1" timeout -s KILL 300 "${run[@]}" >"$dir/out.$1" 2>&1 &
    ingesters[$1]=$!
}
killed=0 moving=0 rounds=0
while [ $killed -lt "$kills" ] && [ $rounds -lt $((kills * 30)) ]; do
    rounds=$((rounds + 1))
    # Always so many more than were killed for, so that there is work in each round.
    [ $n_sent -gt $((total * (killed + kills / 4) / kills)) ] ||
        deliver_some < <(sed -n "$((n_sent + 1)),$((n_sent + total / kills + total / 8 + 1))p" "$dir/list")
    for i in 0 1; do
        [ -n "${ingesters[$i]:-}" ] && kill -0 "${ingesters[$i]}" 2>/dev/null || start $i
    done
    sleep "0.$(printf %03d $((RANDOM % 200 + 20)))"
    i=$((RANDOM % 2))
    victim=$(pgrep -P "${ingesters[$i]}") || continue
    kill -9 "$victim" 2>/dev/null || continue
    killed=$((killed + 1))
    [ "$(tail -n 1 "$dir/steps.$i" 2>/dev/null)" != 'UID MOVE' ] || moving=$((moving + 1))
done
for i in 0 1; do wait "${ingesters[$i]}" 2>/dev/null; done
[ $killed -ge "$kills" ]
ok $? "killed $killed times in $rounds rounds, $moving times while mails were moved"
# A batch that is committed is moved at once.
twins=$((moving * 500))
holds copies twins=$twins
ok $? 'each mail is in one place before the last run' "$dir/wrong"
deliver_some < <(tail -n "+$((n_sent + 1))" "$dir/list")
run_clean
ok $? 'the last run ends well' "$dir/out"
holds done twins=$twins
ok $? "the mailbox is empty, and the ledger has each of $total mails once" "$dir/wrong"
check_sums 'after the storm' "$dir/truth"
echo "# seed $seed"
echo "1..$n"
exit $failed
