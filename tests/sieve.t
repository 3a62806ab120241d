#!/bin/bash
# Delivery by Dovecot: a Sieve script pipes the reports into whosends, as the manual shows, and keeps the mail where it cannot.
. tests/lib/cli.sh
. tests/lib/postgres.sh
. tests/lib/dovecot.sh
lda=/usr/lib/dovecot/dovecot-lda
if ! test -x $lda || ! compgen -G '/usr/lib/dovecot/modules/sieve/*extprograms*' >/dev/null; then
    echo "1..0 # SKIP dovecot-lda or dovecot-sieve is not here"
    exit 0
fi
chmod 755 "$dir"
cleanup() { pg_stop; }
pg_start "$dir/pg" && pg_newdb sieve || exit 1
bench/generate.py --reports 3 --records-mean 3 --seed 5 --out "$dir/made" --truth "$dir/truth" || exit 1
mails=("$dir"/made/*)

mkdir -p "$dir/home" "$dir/bin" "$dir/run"
install -m 755 "$program" "$dir/whosends"
(umask 077 && printf '[whosends]\ndatabase = %s\n' "$PG_CONNINFO" >"$dir/whosends.conf")
printf '#!/bin/sh\nexec %s --config %s ingest --quiet -\n' "$dir/whosends" "$dir/whosends.conf" >"$dir/bin/whosends-ingest"
chmod 755 "$dir/bin/whosends-ingest"
# The lines of the manual between "```" that begin with these words.
example() {
    sed -n "/^$1/,/^\`\`\`/p" docs/whosends.1.scd | sed '/^```/d'
}
# Those for this version of Dovecot.
settings() {
    awk -v version="Dovecot 2.$(dovecot_is_new && echo 4 || echo 3) (Debian" 'index($0, version) { found = 1 }
        found && /^```/ { if (inside) exit; inside = 1; next }
        inside' docs/whosends.1.scd
}
example 'require \["vnd' >"$dir/whosends.sieve"
{
    dovecot_version
    dovecot_mails maildir '~/Maildir'
    printf '%s\n' "base_dir = $dir/run" "state_dir = $dir/run" "log_path = $dir/log" 'protocols =' 'first_valid_uid = 1' \
        'first_valid_gid = 0'
    settings | sed "s,/etc/dovecot/sieve,$dir,; s,/etc/dovecot/bin,$dir/bin,"
} >"$dir/dovecot.conf"
owner=$(dovecot_owner)
if test "$(id -u)" = 0; then
    chown "$owner" "$dir" "$dir/home" "$dir/whosends.conf"
fi
# deliver TO FILE
deliver() {
    { echo "To: $1"; grep -v '^To:' "$2"; } >"$dir/mail"
    status=0
    (
        cd / && export HOME="$dir/home" USER="$owner"
        if test "$(id -u)" = 0; then
            set -- setpriv --reuid="$owner" --regid="$(id -gn "$owner")" --clear-groups -- $lda
        else
            set -- $lda
        fi
        "$@" -c "$dir/dovecot.conf" -f reporter@reporter.example
    ) <"$dir/mail" >"$dir/out" 2>"$dir/err" || status=$?
}
ledger() {
    psql -X -A -t -c "SELECT string_agg(outcome, ' ') FROM dmarc_store.message" 2>/dev/null
}
inbox() {
    find "$dir/home/Maildir/new" "$dir/home/Maildir/cur" -type f 2>/dev/null | wc -l
}

deliver dmarc-reports@example.com "${mails[0]}"
is "a report is delivered" "$status" 0
is "into the database" "$(ledger)" stored
is "and not into INBOX" "$(inbox)" 0
deliver someone@example.com "${mails[1]}"
is "a mail to somebody else is none of it" "$status $(ledger) $(inbox)" "0 stored 1"
pg_halt
deliver dmarc-reports@example.com "${mails[2]}"
is "without the database a report is not lost: it is in INBOX" "$status $(inbox)" "0 2"
pg_restart
is "and not in the database" "$(ledger)" stored
"$program" --database "$PG_CONNINFO" ingest "$dir/home/Maildir" >"$dir/out" 2>&1
is "from where it can be read later" "$(ledger | tr ' ' '\n' | sort | uniq -c | tr -s ' \n' ' ')" " 3 stored "
finish
