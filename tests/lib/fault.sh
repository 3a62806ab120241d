# What the tests of faults share: sourced, not run, after postgres.sh, whole.sh and dovecot.sh.
#
# Mails come in groups: send_group puts the next one into the mailbox, so that each fault meets mails that nobody has seen.
# $program has the steps of parser/step.h; $maildir is the mailbox; $run is the command line that reads it.

program=build/tests/whosends_fault

# make_mails GROUPS REPORTS: so many groups of so many reports, one of the group before again, a mail that is no report and a
# damaged one each
make_mails()
{
    local groups=$1 reports=$2 group serial=0 file previous=
    bench/generate.py --reports $((groups * reports)) --records-mean 3 --domains 10 --seed "${SEED:-1}" --out "$dir/made" \
        --truth "$dir/truth" || return 1
    mkdir -p "$dir/sent"
    for file in "$dir"/made/*; do
        group=$((serial++ / reports))
        mkdir -p "$dir/groups/$group"
        mv "$file" "$dir/groups/$group/"
    done
    for ((group = 0; group < groups; group++)); do
        set -- "$dir/groups/$group"/*
        [ -z "$previous" ] || sed 's/^Message-ID: </&again-/I' "$previous" >"$dir/groups/$group/again.eml"
        previous=$1
        printf '%s\n' 'From: friend@example.net' "Message-ID: <friend-$group@example.net>" "Subject: lunch $group" '' 'At one?' \
            >"$dir/groups/$group/friend.eml"
        printf '%s\n' 'From: dmarc@example.net' "Message-ID: <damaged-$group@example.net>" "Subject: Report domain: example.com" \
            'MIME-Version: 1.0' 'Content-Type: application/gzip' 'Content-Transfer-Encoding: base64' '' 'H4sIAAAAAAAAA///////////' \
            >"$dir/groups/$group/damaged.eml"
    done
    next_group=0
}

send_group()
{
    local file
    for file in "$dir/groups/$next_group"/*; do
        cp "$file" "$dir/sent/$next_group-${file##*/}"
        cp "$file" "$maildir/tmp/" && chown "$(dovecot_owner):" "$maildir/tmp/${file##*/}" &&
            mv "$maildir/tmp/${file##*/}" "$maildir/new/$((1700000000 + next_group)).${file##*/}.test"
    done
    next_group=$((next_group + 1))
}

send_the_rest()
{
    while [ -d "$dir/groups/$next_group" ]; do send_group; done
}

# Writes what is wrong with the database or the places of mails; see tests/fault/places.py for the words.
look()
{
    psql -X -q -A -t -F ' ' -f tests/fault/invariants.sql -c "\\o $dir/ledger" \
        -c "SELECT encode(sha256, 'hex'), outcome FROM dmarc_store.message" 2>&1
    tests/fault/places.py "$maildir" "$dir/sent" "$dir/ledger" "$@"
}

# holds [done] [copies] [twins=N]: nothing is wrong
holds()
{
    look "$@" >"$dir/wrong" && [ ! -s "$dir/wrong" ]
}

# went_well STATUS: 65 says that there were problems, and each group holds one
went_well()
{
    [ "$1" = 0 ] || [ "$1" = 65 ]
}

# run_clean: without a fault, to the end
run_clean()
{
    timeout 100 "${run[@]}" >"$dir/out" 2>&1
    went_well $?
}

configure()
{
    (umask 077 && cat >"$dir/conf" <<CONF
[whosends]
database = $PG_CONNINFO
[imap]
host = localhost
port = $IMAPS_PORT
user = dmarc
password = secret
ca_file = $CA_FILE
CONF
    )
}

# run_faulty FAULT [COMMAND]: the run meets the fault; with a COMMAND it is stopped there until the command is done. Leaves
# $status, $seconds and $dir/out.
run_faulty()
{
    local began=$EPOCHSECONDS pid i
    WHOSENDS_FAULT=$1 timeout -s KILL 100 "${run[@]}" >"$dir/out" 2>&1 &
    pid=$!
    if [ $# -gt 1 ]; then
        for ((i = 0; i < 200; i++)); do
            grep -qs '^State:.T' "/proc/$(pgrep -P $pid)/status" && break
            sleep 0.05
        done
        [ $i -lt 200 ] || echo 'it did not come to this step' >>"$dir/out"
        faulty=$(pgrep -P $pid)
        "${@:2}" >>"$dir/out" 2>&1
        kill -CONT "$faulty"
    fi
    wait $pid
    status=$? seconds=$((EPOCHSECONDS - began))
}

# said PATTERN: the last run did
said()
{
    grep -Eq -e "$1" "$dir/out"
}
