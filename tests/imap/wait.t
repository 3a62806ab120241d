#!/bin/sh
# Waiting for mail: woken by it, renewed, polled where there is no IDLE, ended by a stop, and begun anew when it dies.
. tests/lib/cli.sh
. tests/lib/dovecot.sh
. tests/lib/mock.sh
cleanup() {
    mock_stop
    dovecot_stop
}

# waits OPTION...: in the background
waits() {
    "$program" --port "$IMAPS_PORT" --ca "$CA_FILE" "$@" >"$dir/out" 2>"$dir/err" &
    tool=$!
}
# until PATTERN: it is among the lines that came, after a second at most
until_said() {
    for _ in $(seq 60); do
        grep -q "$1" "$dir/out" && return
        sleep 0.05
    done
    not_ok "no '$1' in three seconds" "$(cat "$dir/out" "$dir/err")"
}
deliver() {
    printf 'Subject: new\n\n%s\n' "$1" >"$MAILDIR/tmp/$1" && mv "$MAILDIR/tmp/$1" "$MAILDIR/new/$1"
    dovecot_own_mails
}
ended() {
    status=0
    wait "$tool" || status=$?
    check "$1" "$2" "$3" ''
}
commands() { grep -c "^$1" "$dir/commands"; }

# A server tells of its Maildir only when it looks there.
DOVECOT_EXTRA='mailbox_idle_check_interval = 1s'
for capability in '' 'IMAP4rev1 SASL-IR MOVE UIDPLUS'; do
    DOVECOT_CAPABILITY=$capability
    dovecot_stop
    rm -rf "$dir/home" "$dir/run"
    dovecot_start "$dir" || exit 1
    waits --wait 20 --renew 1
    sleep 0.5
    deliver "first${#capability}"
    until_said 'wait news'
    until_said 'UID=1 '
    deliver "second${#capability}"
    until_said 'UID=2 '
    is "mails are read when they come${capability:+, without IDLE}" "$(grep -c '^imap:' "$dir/out")" 2
    kill "$tool"
    began=$(date +%s%N)
    ended "a stop ends it${capability:+, without IDLE}" 0 'wait stopped'
    test $((($(date +%s%N) - began) / 1000000)) -lt 1000 && ok '  soon' || not_ok '  soon'
    is '  with all of it moved' "$(mails_in .Processed)" 2
done
waits --wait 1
ended 'a time without mail' 0 'wait timeout'

meet late-news --wait 3
check 'news that come while it is looked which mails are left' 0 '^wait news$' ''

soon=20
meet idle-repeats --wait 5 --renew 1
check 'numbers that have not grown are no news' 0 'wait news' ''
is '  those that have are, once' "$(grep -c 'wait news' "$dir/out")" 1
test "$(commands IDLE)" -le 8 && ok '  with an IDLE a second' || not_ok '  with an IDLE a second' "$(commands IDLE)"
for scenario in idle-no idle-ends; do
    meet $scenario --wait 3 --renew 1
    check "$scenario" 0 'wait timeout' ''
    is '  is not asked again, but polled' "$(commands IDLE) $(commands NOOP)" '1 4'
done
meet 'idle-cut good' --wait 3 --renew 1 --tries 3
check 'a connection that breaks while waiting' 0 'wait news' ''
mails 1 2 3
is '  is made again' "$(commands AUTHENTICATE)" 2
meet 'idle-deaf good' --wait 4 --renew 1 --tries 3
check 'a server that has gone away without a word' 0 'wait news' ''
is '  is found out' "$(commands AUTHENTICATE)" 2
meet idle-cut --wait 4 --tries 3 --waits 9
check 'a server that breaks each IDLE' 75 'wait news' '^imap_tool: '
is '  is left alone' "$(commands AUTHENTICATE)" 3
finish
