#!/bin/sh
# Connections that break in the middle: the run goes on in another one, each mail comes once, half mails are nothing, no UID
# outlives its UIDVALIDITY, and a server that only breaks off is left alone.
. tests/lib/cli.sh
. tests/lib/dovecot.sh
. tests/lib/mock.sh

logins() { grep -c '^AUTHENTICATE' "$dir/commands"; }

for scenario in cut-search bye-size bye-fetch cut-literal close-literal stall-literal trickle much-larger; do
    case $scenario in much-larger) limit='--limit 1000' ;; *) limit= ;; esac
    meet "$scenario good" --tries 3 $limit
    check "$scenario" 0 '^remaining 0$' ''
    mails 1 2 3
    moved 1:3
    is '  with two logins' "$(logins)" 2
done
for scenario in bye-move cut-move stall-move; do
    meet "$scenario good" --tries 3
    check "$scenario: the answer to MOVE is lost" 0 '^remaining 0$' ''
    moved 1:3 1:3
done

meet 'cut-literal other-numbers' --tries 3
check 'a mailbox that has other UIDs afterwards' 0 '^remaining 0$' ''
is '  is read from its beginning' "$(sed -n 's/^imap:.*=\([78]\)\/;UID=\([0-9]\).*/\1.\2/p' "$dir/out" | tr '\n' ' ')" \
    '7.1 8.1 8.2 8.3 '
moved 1:3
meet 'renumbered-late other-numbers' --tries 3
check 'a mailbox renumbered when mails are moved' 0 '^remaining 0$' ''
moved 1:3

meet poison --tries 5
check 'a mail at which the connection breaks each time' 75 '*' 'could not fetch UID 2: .*breaks the connection'
is '  keeps no other one back' "$(sed -n 's/^imap:.*;UID=\([0-9]\) .*/\1/p' "$dir/out" | sort | tr '\n' ' ')" '1 3 '
moved 1,3

meet cut-search --tries 3
check 'a server that only breaks off' 75 '' '^imap_tool: .*(closed|broke|connect)'
is '  has had its tries' "$(logins)" 3
meet 'cut-literal refused' --tries 5
check 'a login that is refused the second time' 77 '*' 'refused the login'
is '  is not tried again' "$(logins)" 2
finish
