#!/bin/bash
# Messages in the journal of systemd carry their priority, and nowhere else.
. tests/lib/cli.sh

# said_with STREAM: what is said where JOURNAL_STREAM is this
said_with() { JOURNAL_STREAM=$1 "$program" senderz 2>"$dir/err"; }
: >"$dir/err"
own=$(stat -c '%d:%i' "$dir/err")
said_with "$own"
is "an error and its hint in the journal" "$(cut -d: -f1,2 "$dir/err" | tr '\n' ' ')" "<3>whosends: error <6>whosends: hint "
said_with "1:2"
is "a stream that is not the journal" "$(cut -d: -f1,2 "$dir/err" | tr '\n' ' ')" "whosends: error whosends: hint "
finish
