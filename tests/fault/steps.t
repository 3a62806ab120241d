#!/bin/bash
# The program dies by kill -9 at each of its steps: every mail is in one place and, after a clean run, counted once.
# Without EVERY at the first time that each step is reached, for the Maildir only at those of its own; with EVERY=N at each
# time, with so many groups of mails. SOURCES: imap maildir.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/postgres.sh
. tests/lib/whole.sh
. tests/lib/dovecot.sh
. tests/lib/fault.sh

dir=$(mktemp -d)
trap 'dovecot_stop; pg_stop; rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir "$dir/pg" "$dir/dovecot"
pg_start "$dir/pg" && dovecot_start "$dir/dovecot" || exit 1

begin()
{
    rm -rf "$dir/groups" "$dir/made" "$dir/sent" "$dir/steps"
    pg_newdb "$1" && make_mails "${EVERY:-50}" 3 || exit 1
    configure
    case $1 in
    imap) maildir=$MAILDIR run=("$program" --config "$dir/conf" ingest) ;;
    maildir)
        maildir=$dir/Maildir run=("$program" --database "$PG_CONNINFO" ingest --after move "$dir/Maildir")
        mkdir -p "$maildir/cur" "$maildir/new" "$maildir/tmp"
        ;;
    esac
    # The first run makes folders and partitions; the second shows the steps of all others.
    send_group
    run_clean || { cat "$dir/out"; exit 1; }
    send_group
    WHOSENDS_STEPS="$dir/steps" run_clean
    ok $? "$1: a run with $(wc -l <"$dir/steps") steps, $(sort -u "$dir/steps" | wc -l) of them different" "$dir/out"
}

# dies_at SOURCE FAULT
dies_at()
{
    send_group
    { WHOSENDS_FAULT=$2:kill timeout 60 "${run[@]}" >"$dir/out" 2>&1; } 2>/dev/null
    [ $? = 137 ]
    ok $? "$1: dies at $2" "$dir/out"
    holds && run_clean && holds done
    ok $? "$1: and all is well after $2" "$dir/wrong" "$dir/out"
}

seen='|'
for source in ${SOURCES:-imap maildir}; do
    begin "$source"
    if [ -n "${EVERY:-}" ]; then
        for ((i = 1; i <= $(wc -l <"$dir/steps"); i++)); do dies_at "$source" "*:$i"; done
    else
        # The place after COMMIT was answered, and what comes then, is not to be missing.
        for name in 'committing a batch' committed settled "$([ "$source" = imap ] && echo UID MOVE || echo moving a file)"; do
            grep -qx "$name" "$dir/steps"
            ok $? "$source: there is a step '$name'"
        done
        while read -r name; do
            [[ $seen != *"|$name|"* || $name == commit* ]] || continue
            dies_at "$source" "$name:1"
            seen+="$name|"
        done < <(LC_ALL=C sort -u "$dir/steps")
    fi
    send_the_rest
    run_clean
    holds done
    ok $? "$source: a last run" "$dir/wrong" "$dir/out"
    check_sums "$source" "$dir/truth"
done
echo "1..$n"
exit $failed
