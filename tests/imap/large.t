#!/bin/sh
# Many mails and a large one: all come, in bounded memory.
. tests/lib/cli.sh
. tests/lib/dovecot.sh
program=${IMAP_TOOL:-build/tests/imap_tool}
cleanup() { dovecot_stop; }
export IMAP_PASSWORD=secret

dovecot_start "$dir" || exit 1
python3 - "$MAILDIR/new" <<'PYTHON'
import sys
for n in range(1000):
    with open(f"{sys.argv[1]}/{n:04}.mail", "w", newline="\r\n") as file:
        file.write(f"From: r@reporter.example\nSubject: {n}\n\n" + f"line of mail {n}\n" * 300)
PYTHON
cat "$MAILDIR"/new/* | sha256sum >"$dir/sum"
dovecot_own_mails

# peak NAME LIMIT_IN_MIB
peak() {
    peak=$(sed -n 's/^peak \([0-9]*\) KiB.*/\1/p' "$dir/out")
    echo "# $(grep '^peak' "$dir/out")"
    is "$1" "$(test "${peak:-0}" -gt 0 -a "${peak:-0}" -lt $(($2 * 1024)) && echo bounded)" bounded
}

run --port "$IMAPS_PORT" --ca "$CA_FILE" --window 64 --rss
check '1,000 mails are read' 0 '^remaining 0$' ''
is 'each once' "$(sed -n 's/^imap:[^ ]*UID=\([0-9]*\) .*/\1/p' "$dir/out" | sort -nu | wc -l)" 1000
is 'and moved as they were' "$(mails_in) $(find "$MAILDIR/.Processed/new" "$MAILDIR/.Processed/cur" -type f -exec cat {} + | wc -c)" \
    "0 $(awk '/^imap:/ { sum += $2 } END { print sum }' "$dir/out")"
peak 'memory is bounded' 32

{
    printf 'Subject: large\r\n\r\n'
    head -c 22000000 /dev/urandom | base64 -w 76 | sed 's/$/\r/'
} >"$MAILDIR/new/large.mail"
size=$(wc -c <"$MAILDIR/new/large.mail") sum=$(sha256sum <"$MAILDIR/new/large.mail" | cut -d' ' -f1)
dovecot_own_mails
run --port "$IMAPS_PORT" --ca "$CA_FILE" --rss
check 'a mail of 30 MB is read' 0 "UID=1001 $size $sum\$" ''
is 'and moved' "$(mails_in) $(mails_in .Processed)" '0 1001'
peak 'memory is bounded' 32
run --port "$IMAPS_PORT" --ca "$CA_FILE" --rss --mailbox Processed --processed Twice --limit 1000000
check 'over the limit it is not' 0 "UID=1001 refused limit the mail has $size bytes" ''
finish
