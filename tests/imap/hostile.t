#!/bin/sh
# Servers that break off, stall, lie and attack: each ends in an error that says so, soon, and with no mail moved.
. tests/lib/cli.sh
. tests/lib/dovecot.sh
. tests/lib/mock.sh

# fails NAME STATUS MESSAGE: soon, in one clean line, and with nothing changed
fails() {
    check "$1" "$2" '*' "^imap_tool: .*$3"
    if test "$took" -le "${soon:-8}" && test "$(wc -l <"$dir/err")" = 1 && test -z "$(changes)" &&
        ! grep -q '[[:cntrl:]]' "$dir/err"; then
        ok '  soon, with nothing changed'
    else
        not_ok '  soon, with nothing changed' "took $took s" "$(changes)" "$(cat -v "$dir/err")"
    fi
}

meet good
check 'a good server' 0 'UID=2 [0-9]+ ' ''
mails 1 2 3
moved 1:3
is '  a mail that holds answers is itself' "$(sed -n 's/.*;UID=2 \([0-9]*\) .*/\1/p' "$dir/out")" 91
starttls good
check 'the same over STARTTLS' 0 'UID=2 [0-9]+ ' ''
is '  with the password sent after it' "$(grep -n -e STARTTLS -e AUTH "$dir/commands" | cut -c 1-10 | tr '\n' ' ')" '2:STARTTLS 4:AUTHENTI '
meet leftover
check 'lines that begin before the login was over' 0 'UID=3' ''
for scenario in unsolicited order; do
    meet $scenario
    check "$scenario answers" 0 'UID=3' ''
    mails 1 2 3
    moved 1:3
done
meet twice
check 'mails that come twice and in another order' 0 'UID=3' ''
mails 3 1 2
for scenario in nil empty short; do
    meet $scenario
    check "a mail that is there and does not come: $scenario" 75 'UID=1' 'UID 2: .* is there and gives nothing$'
    is '  is asked for again, alone' "$(grep 'BODY.PEEK' "$dir/commands" | cut -c 11-13 | tr '\n' ' ')" '1:3 2 ( '
    mails 1 3
    moved 1,3
done
meet vanished
check 'mails that vanish before they are fetched' 0 'UID=1' ''
mails 1
moved 1
meet fetch-no
check 'a mail that the server cannot read' 75 'UID=1' 'could not fetch UID 2: .*SERVERBUG'
moved 1
meet larger --limit 1000
check 'a mail that is larger than announced' 0 'UID=2 refused limit the mail has 1500 bytes' ''
mails 1 3
meet much-larger --limit 1000
fails 'or much larger' 75 message_size
meet plain-copy
check 'a server without extensions' 0 'UID=3' ''
is '  copies and marks' "$(changes)" 'UID COPY 1:3 "Processed";UID STORE 1:3 +FLAGS.SILENT (\Deleted);'
meet good --after flag
is 'without keywords of ours \Seen is set' "$(changes)" 'UID STORE 1:3 +FLAGS.SILENT (\Seen);'
is '  and searched for' "$(grep -m 1 SEARCH "$dir/commands")" 'UID SEARCH UNDELETED UNSEEN'

for scenario in stripped starttls-no starttls-bad; do
    starttls $scenario
    fails "STARTTLS: $scenario" 77 'does not do STARTTLS'
    is '  no password is sent' "$(grep -c AUTH "$dir/commands")" 0
done
starttls injected
fails 'STARTTLS: answers sent before TLS are not believed' 75 'could not connect to localhost'
is '  no password is sent' "$(grep -c AUTH "$dir/commands")" 0
starttls preauth
fails 'STARTTLS: a server that is logged in already' 77 'does not do STARTTLS'
is '  no password is sent' "$(grep -c AUTH "$dir/commands")" 0

meet bye-greeting
fails 'BYE as greeting' 75 'BYE too many connections'
meet bye-login
fails 'BYE in the login' 75 'BYE shutting down'
for scenario in bye-capability bye-namespace bye-select bye-search bye-size bye-fetch; do
    meet $scenario
    fails $scenario 75 'ended the session: "shutting down'
done
mails 1

for scenario in cut-login cut-search cut-literal close-literal; do
    meet $scenario
    fails $scenario 75 'localhost:|closed'
done
mails 1
for scenario in stall-greeting stall-login; do
    meet $scenario
    fails $scenario 75 'could not connect to localhost'
done
for scenario in stall-select stall-literal; do
    meet $scenario
    fails $scenario 75 'gave no answer in 1 seconds'
done
soon=15
meet trickle
fails 'a byte now and then is not progress' 75 'is too slow'
soon=

while read -r scenario message; do
    meet "$scenario"
    fails "$scenario" 75 "$message"
done <<'TABLE'
nested 64 KiB
long-line 64 KiB
endless more bytes than any answer
big-literal message_size
huge-literal literal without its size
nul a NUL byte
garbage no known word
other-tag answered a command that was not sent
go-on asks for more
bad-uid a number was expected
bad-fetch a number was expected
flat-fetch FETCH response
no-capability does not tell what it can do
renumbered renumbered the mailbox
unnumbered no UIDVALIDITY
TABLE
meet read-only
fails 'a mailbox that may only be read' 66 'cannot be changed by this user'
meet read-only --after leave
is '  is only examined where nothing is to be changed' "$(grep -c -x 'EXAMINE "INBOX"' "$dir/commands")" 1
meet unavailable
fails 'a login that cannot be checked now' 75 'UNAVAILABLE'
meet refused
fails 'a login that is refused with the password in the answer' 77 'refused the login'
is '  which is not repeated' "$(grep -c secret "$dir/err")" 0

# From here on a MOVE was sent, and not done.
meet over-quota --batch 1 --window 1
check 'a folder that is full' 75 'UID=3' "could not move 1 mail to folder 'Processed': .*OVERQUOTA"
mails 1 2 3
is '  is tried once, while the other mails are read' "$(changes)" 'UID MOVE 1 "Processed";'
meet stubborn
check 'a mail that cannot be moved' 75 'UID=3' "could not move 1 mail to folder 'Processed': .*not this one"
is '  keeps no other one back' "$(changes)" \
    'UID MOVE 1:3 "Processed";CREATE "Processed";UID MOVE 1:3 "Processed";UID MOVE 1 "Processed";UID MOVE 2:3 "Processed";UID MOVE 2 "Processed";UID MOVE 3 "Processed";'
meet move-bad
check 'a server that announces MOVE and does not know it' 0 'UID=3' ''
is '  is asked to copy, to mark and to expunge these alone' "$(changes)" \
    'UID MOVE 1:3 "Processed";UID COPY 1:3 "Processed";UID STORE 1:3 +FLAGS.SILENT (\Deleted);UID EXPUNGE 1:3;'
meet copy-only
check 'a server that copies and does not delete' 75 'UID=3' "could not delete 1 mail that is copied to folder 'Processed': .*kept for ever"
is '  copies each mail once' "$(changes)" \
    'UID COPY 1:3 "Processed";UID STORE 1:3 +FLAGS.SILENT (\Deleted);UID STORE 1 +FLAGS.SILENT (\Deleted);UID STORE 2 +FLAGS.SILENT (\Deleted);UID STORE 3 +FLAGS.SILENT (\Deleted);'
for scenario in plain-copy good; do
    meet "copy-cut $scenario" --tries 2
    check "a server that ends between copying and marking, and then is $scenario" 0 'UID=3' ''
    is '  copies each mail once' "$(changes | sed 's/UID EXPUNGE 1:3;$//')" \
        'UID COPY 1:3 "Processed";UID STORE 1:3 +FLAGS.SILENT (\Deleted);UID STORE 1:3 +FLAGS.SILENT (\Deleted);'
done
meet no-folder
check 'a folder that cannot be made' 75 'UID=3' "could not move 3 mails to folder 'Processed': .*no such folder"
meet renumbered-late
check 'a mailbox renumbered when mails are moved' 75 'UID=3' 'renumbered the mailbox'
for scenario in bye-move cut-move stall-move; do
    meet $scenario
    check "$scenario: the answer to MOVE is lost" 75 'UID=3' '^imap_tool: '
    is '  and it is not sent again' "$(changes)" 'UID MOVE 1:3 "Processed";'
done
finish
