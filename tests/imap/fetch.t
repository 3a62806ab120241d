#!/bin/sh
# Reading a mailbox of a real Dovecot: TLS, login, what is handed out, and that nothing is touched.
. tests/lib/cli.sh
. tests/lib/dovecot.sh
program=${IMAP_TOOL:-build/tests/imap_tool}
cleanup() { dovecot_stop; }
export IMAP_PASSWORD=secret

dovecot_start "$dir" || exit 1
tls="--port $IMAPS_PORT --ca $CA_FILE"

# What the tool has to print of the mails 1 to n: size and sum over CR LF lines, as IMAP has them.
expected() {
    for file in "$dir"/mails/*; do
        sed 's/$/\r/' "$file" >"$dir/crlf"
        echo "$(wc -c <"$dir/crlf") $(sha256sum <"$dir/crlf" | cut -d' ' -f1)"
    done | sort
}
found() {
    sed -n 's/^imap:[^ ]* \([0-9]* [0-9a-f]*\)$/\1/p' "$dir/out" | sort
}

mkdir "$dir/mails"
for n in 1 2 3 4 5; do
    printf 'From: r@reporter.example\nSubject: report %s\n\nline %s\nW5 OK done\n* BYE\n)\n' "$n" "$n" >"$dir/mails/$n"
done
# As large as it gets in memory, and a line more.
{ printf 'Subject: spooled\n\n'; head -c 1300000 /dev/urandom | base64; } >"$dir/mails/6"
cp "$dir"/mails/* "$MAILDIR/new/"
dovecot_own_mails

run $tls --after leave
check 'mails are fetched over TLS' 0 '^imap://dmarc@localhost:[0-9]+/INBOX;UIDVALIDITY=[0-9]+/;UID=1 ' ''
is 'each with its bytes' "$(found)" "$(expected)"
is 'and none twice' "$(grep -c '^imap:' "$dir/out")" 6
is 'nothing remains to come' "$(tail -n 1 "$dir/out")" 'remaining 0'

run --starttls --host 127.0.0.1 --port "$IMAP_PORT" --ca "$CA_FILE" --after leave --batch 2
check 'STARTTLS, an address as host name, batches of two' 0 '^imap://dmarc@127.0.0.1:[0-9]+/INBOX;' ''
is 'the same mails' "$(found)" "$(expected)"

run $tls --outcome none
check 'a run that settles nothing' 0 UID=6 ''
is 'all mails are where they were' "$(mails_in)" 6
is 'and none is seen' "$(find "$MAILDIR" -name '*:2,*S*' | wc -l)" 0
is 'no folder was made' "$(ls -A "$MAILDIR" | grep -c '^\.[PD]')" 0

run --port "$IMAPS_PORT" --ca "$OTHER_CA_FILE"
check 'a certificate of another CA is refused' 77 '' 'certificate of localhost:[0-9]+ is not trusted.*CA'
run --port "$IMAPS_PORT"
check 'and one that the system does not know' 77 '' 'certificate of localhost:[0-9]+ is not trusted'
run --host 127.0.0.2 $tls
check 'a certificate for another name is refused' 77 '' 'certificate of 127.0.0.2:[0-9]+ is not trusted'
run --starttls --host 127.0.0.2 --port "$IMAP_PORT" --ca "$CA_FILE"
check 'with STARTTLS too' 77 '' 'certificate of 127.0.0.2:[0-9]+ is not trusted'
run --starttls --port "$IMAP_PORT" --ca "$OTHER_CA_FILE"
check 'and the other CA' 77 '' 'certificate of localhost:[0-9]+ is not trusted'
run --port "$IMAPS_PORT" --ca "$dir/none.pem"
check 'a missing CA file is no reason to trust' 77 '' 'certificate of localhost:[0-9]+ is not trusted'
is 'no password was sent to any of them' "$(grep -cE 'Log(in|ged in): user=' "$dir/log")" 3

IMAP_PASSWORD=Tr0ub4dor
run $tls
check 'a wrong password' 77 '' "localhost:[0-9]+ refused the login as 'dmarc': .*AUTHENTICATIONFAILED.*; check user and password"
is 'is not in the message' "$(grep -c Tr0ub4dor "$dir/err")" 0
IMAP_PASSWORD=secret
run $tls --user nobody
check 'an unknown user' 77 '' "refused the login as 'nobody'"

run $tls --mailbox Nowhere
check 'a mailbox that is not there' 66 '' "could not open mailbox 'Nowhere' on localhost"
run $tls --processed inbox
check 'mails cannot be moved to where they are' 78 '' "mailbox 'INBOX' cannot be moved to 'inbox'"
run --host 'user@localhost/x' $tls
check 'a host that is more than one' 78 '' "'user@localhost/x' cannot be the name of an IMAP server"
run --port "$IMAP_PORT" --ca "$CA_FILE"
check 'no TLS where TLS should be' 75 '' 'could not connect to localhost'
run --port 1 --ca "$CA_FILE"
check 'nobody there' 75 '' 'could not connect to localhost:1'

run $tls --after leave --limit 100000
check 'a mail over the limit is named' 0 'UID=[0-9]+ refused limit the mail has [0-9]+ bytes, more than .*message_size of 100000' ''
is 'and the others come' "$(grep -c ' [0-9a-f]\{64\}$' "$dir/out")" 5
finish
