#!/bin/sh
# What becomes of the mails, on a real Dovecot, with and without MOVE and UIDPLUS, and with its ways to name folders.
. tests/lib/cli.sh
. tests/lib/dovecot.sh
program=${IMAP_TOOL:-build/tests/imap_tool}
cleanup() { dovecot_stop; }
export IMAP_PASSWORD=secret

# fresh N: an empty mailbox with N mails, on a server with the DOVECOT_ variables of now
fresh() {
    dovecot_stop
    rm -rf "$dir/home" "$dir/run" "$dir/log"
    dovecot_start "$dir" || exit 1
    mails "$1"
    tls="--port $IMAPS_PORT --ca $CA_FILE"
}

# mails N: so many more
sent=0
mails() {
    for n in $(seq "$1"); do
        sent=$((sent + 1))
        printf 'Subject: %s\n\nmail %s\n' "$sent" "$sent" >"$MAILDIR/new/$sent.mail"
    done
    dovecot_own_mails
}

# where INBOX PROCESSED PROBLEMS NAME
where() {
    is "$4" "$(mails_in) $(mails_in "${P:-.Processed}") $(mails_in "${Q:-.Problems}")" "$1 $2 $3"
}

subjects() {
    cat "$@" 2>/dev/null | sed -n 's/^Subject: //p' | sort -n | uniq | wc -l
}

fresh 10
run $tls --outcome mixed --batch 4
check 'a mailbox is emptied' 0 UID=10 ''
where 0 7 3 'mails are moved to two folders that were not there'
is 'which are subscribed to' "$(grep -c -x -e Processed -e Problems "$MAILDIR/subscriptions")" 2
is 'none is seen' "$(find "$MAILDIR" -name '*:2,*S*' | wc -l)" 0
run $tls
check 'the next run finds nothing' 0 '^remaining 0$' ''
mails 5
run $tls --window 1
where 0 12 3 'the folders that are there now are used'

mails 30
run $tls --batch 20 --flush-after 9 --window 4
check 'a run that is stopped within a batch' 0 'remaining 21' ''
where 21 21 3 'has moved what was settled, and nothing else'
run $tls --batch 7 --window 3
is 'and the next one gets the rest' "$(grep -c '^imap:' "$dir/out")" 21
where 0 42 3 'all of it'

fresh 40
"$program" $tls --batch 3 --window 2 >"$dir/first" 2>&1 &
other=$!
run $tls --batch 5 --window 3
wait $other
is 'of two at once, neither fails' "$status $?" '0 0'
sed 's/^/# /' "$dir/err"; grep imap_tool "$dir/first"
is 'the mailbox is empty' "$(mails_in)" 0
# Where both move a mail in the same moment, this server may put a second copy there.
is 'and every mail is in the folder' "$(subjects "$MAILDIR"/.Processed/*/*)" 40

fresh 0
mails 6
run $tls --after delete --outcome mixed
check 'mails are deleted' 0 '^remaining 0$' ''
where 0 0 2 'but problems are put aside'

mails 4
run $tls --after flag
is 'mails to be flagged are read' "$(grep -c '^imap:' "$dir/out")" 4
where 4 0 2 'stay where they are'
is 'unseen' "$(find "$MAILDIR" -name '*:2,*S*' | wc -l)" 0
is 'with our keyword' "$(grep -c '^[0-9]* [$]WhosendsDone$' "$MAILDIR/dovecot-keywords")" 1
mails 1
run $tls --after flag
is 'and are not read again' "$(grep -c '^imap:' "$dir/out")" 1

base='IMAP4rev1 SASL-IR LITERAL+ NAMESPACE'
DOVECOT_CAPABILITY="$base UIDPLUS"
fresh 10
run $tls --outcome mixed --batch 4
check 'without MOVE' 0 UID=10 ''
where 0 7 3 'mails are copied, marked and expunged'
is 'no MOVE was sent, and no bare EXPUNGE' "$(grep -c -i -e 'move' -e ' expunge$' "$dir/log")" 0

DOVECOT_CAPABILITY=$base
fresh 9
printf 'Subject: kept\n\nsomebody has marked it\n' >"$MAILDIR/cur/kept:2,T"
dovecot_own_mails
run $tls
is 'without UIDPLUS too, all but those marked are read' "$(grep -c '^imap:' "$dir/out")" 9
where 10 9 0 'mails are copied, and stay'
is 'marked as deleted' "$(find "$MAILDIR/cur" -name '*:2,*T*' | wc -l)" 10
mails 2
run $tls
is 'so that they are not read again' "$(grep -c '^imap:' "$dir/out")" 2

DOVECOT_CAPABILITY=
fresh 3
run $tls --processed 'DMARC/Erledigte Berichte & Übersicht' --problems 'DMARC/問題' --outcome mixed
check 'folders with levels and letters of all kinds' 0 '^remaining 0$' ''
P='.DMARC.Erledigte Berichte &- &ANw-bersicht'
Q=.$(python3 -c 'import sys; print("DMARC.&" + __import__("base64").b64encode("問題".encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-")')
where 0 2 1 'are made and used'
run $tls --mailbox 'DMARC/Erledigte Berichte & Übersicht'
check 'and read' 0 'DMARC/Erledigte%20Berichte%20%26%20%C3%9Cbersicht;UIDVALIDITY=[0-9]+/;UID=1 ' ''
P= Q=

fresh 2
run $tls --processed dmarc
check 'a folder' 0 '^remaining 0$' ''
run $tls --mailbox dmarc --processed DMARC
check 'whose mails are moved to one that differs in case' 0 '^remaining 0$' ''
P=.dmarc Q=.DMARC
where 0 0 2 'and is another one'
P= Q=
run $tls --mailbox DMARC --processed DMARC
check 'the same folder is refused' 78 '' "mails of mailbox 'DMARC' cannot be moved to 'DMARC', which is the same$"
run $tls --processed inbox
check 'and so is INBOX in any case' 78 '' "mails of mailbox 'INBOX' cannot be moved to 'inbox', which is the same$"

DOVECOT_SEPARATOR=. DOVECOT_PREFIX=INBOX.
fresh 6
run $tls --processed Processed --problems A/B --outcome mixed
check 'below a prefix and with another separator' 0 '^remaining 0$' ''
Q=.A.B
where 0 4 2 'folders are made and used'
run $tls --mailbox INBOX/A/B --processed INBOX.Processed --problems Problems
check 'with the prefix named' 0 'INBOX/A/B;UIDVALIDITY=[0-9]+/;UID=2 ' ''
where 0 6 0 'it is not put there twice'
Q=

DOVECOT_SEPARATOR=/ DOVECOT_PREFIX=INBOX/ DOVECOT_CAPABILITY=IMAP4rev1
fresh 2
run $tls --mailbox INBOX --processed INBOX/Done --problems INBOX/Bad --outcome mixed
check 'a server that can do nothing but IMAP4rev1' 0 '^remaining 0$' ''
P=.Done Q=.Bad
where 2 2 0 'serves as well'
finish
