# The IMAP server of imap_mock.py, and tests/tools/imap_tool.c against it: sourced after cli.sh and dovecot.sh.

program=${IMAP_TOOL:-build/tests/imap_tool}
mock_stop() { test -z "$mock" || kill "$mock"; }
cleanup() { mock_stop; }
export IMAP_PASSWORD=secret
mock=

make_certificates "$dir/tls" || exit 1
python3 tests/lib/imap_mock.py "$dir" &
mock=$!
for _ in $(seq 100); do
    test -s "$dir/ports" && break
    sleep 0.1
done
read -r tls_port plain_port <"$dir/ports" || exit 1

# meet SCENARIO [OPTION]...: over TLS; starttls: over the plain port
meet() {
    echo "$1" >"$dir/scenario"
    shift
    talk --port "$tls_port" "$@"
}
starttls() {
    echo "$1" >"$dir/scenario"
    shift
    talk --port "$plain_port" --starttls "$@"
}
talk() {
    : >"$dir/commands"
    began=$(date +%s)
    run --ca "$CA_FILE" --timeout 1 "$@"
    took=$(($(date +%s) - began))
}

# What was sent that changes something.
changes() {
    grep -E '^(UID (MOVE|COPY|STORE|EXPUNGE)|CREATE|EXPUNGE|STORE|COPY|CLOSE)' "$dir/commands" | tr '\n' ';'
}

# mails UID...: exactly these were handed out
mails() {
    is "  mails $*" "$(sed -n 's/^imap:.*;UID=\([0-9]*\) [0-9]* .*/\1/p' "$dir/out" | tr '\n' ' ')" "${*:+$* }"
}

# moved SET...: these sets
moved() {
    is '  moved' "$(changes)" "$(for set; do printf 'UID MOVE %s "Processed";' "$set"; done)"
}
