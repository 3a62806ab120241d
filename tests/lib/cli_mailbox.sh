# tests/lib/cli.sh with what starts a database and a mail server, and stops them: . tests/lib/cli_mailbox.sh
# Without Dovecot the test is skipped.
. tests/lib/cli.sh
. tests/lib/postgres.sh
. tests/lib/dovecot.sh
if ! dovecot_binary >/dev/null; then
    echo "1..0 # SKIP dovecot is not here"
    exit 0
fi
chmod 711 "$dir"
cleanup() {
    dovecot_stop
    pg_stop
}
