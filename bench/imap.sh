#!/bin/bash
# What IMAP alone costs: small mails fetched and moved, with nothing done to them, from a private Dovecot, on the spot and
# through a round trip of 30 ms. Mails a second, and CPU of the client for 1,000 mails.
#
# usage: bench/imap.sh     MAILS (10000); BATCH (500); RTT in ms (30); ROUNDS (3)
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib/dovecot.sh
mails=${MAILS:-10000} batch=${BATCH:-500} rtt=${RTT:-30} rounds=${ROUNDS:-3}
dir=$(mktemp -d)
proxy=
trap 'test -z "$proxy" || kill "$proxy"; dovecot_stop; rm -rf "$dir"' EXIT
export IMAP_PASSWORD=secret
DOVECOT_EXTRA=$(dovecot_mails mdbox '~/mdbox')
dovecot_start "$dir" || exit 1
python3 tests/lib/delay_proxy.py "$IMAPS_PORT" "$rtt" "$dir/port" &
proxy=$!
python3 - "$dir/box" "$mails" <<'END'
import random, sys
random.seed(1)
with open(sys.argv[1], "w", encoding="ascii") as box:
    for number in range(int(sys.argv[2])):
        body = "\n".join("%0152x" % random.getrandbits(604) for _ in range(30))
        box.write(f"From a@b.example Thu Jan  1 00:00:00 2026\nSubject: {number}\n\n{body}\n\n")
END
# fill: all mails in INBOX, none elsewhere
fill() {
    python3 - "$dir/box" "$IMAPS_PORT" "$CA_FILE" <<'END'
import imaplib, mailbox, ssl, sys
imap = imaplib.IMAP4_SSL("localhost", int(sys.argv[2]), ssl_context=ssl.create_default_context(cafile=sys.argv[3]))
imap.login("dmarc", "secret")
imap.delete("Processed")
for mail in mailbox.mbox(sys.argv[1]):
    imap.append("INBOX", None, None, mail.as_bytes())
imap.logout()
END
}

# measure NAME PORT
measure() {
    local began ended
    began=$(date +%s%N)
    build/tests/imap_tool --port "$2" --ca "$CA_FILE" --batch "$batch" --window "$batch" --null --rss >"$dir/out" || return 1
    ended=$(date +%s%N)
    awk -v name="$1" -v ns=$((ended - began)) '
        /^peak/ { peak = $2; cpu = $5; n = $7 }
        END { printf "%-22s %6d mails %7.0f mails/s  %5.1f ms CPU per 1,000  peak %d KiB\n", name, n, n * 1e9 / ns, cpu * 1000 / n, peak }' "$dir/out"
}

while ! test -s "$dir/port"; do sleep 0.1; done
for _ in $(seq "$rounds"); do
    fill && measure 'on the spot' "$IMAPS_PORT" || exit 1
    fill && measure "through $rtt ms" "$(cat "$dir/port")" || exit 1
done
