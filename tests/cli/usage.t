#!/bin/sh
# The command line: help, version, and everything that makes no sense. Nothing here needs a database.
. tests/lib/cli.sh

run
check "no command: the help, and a failure" 64 '^usage: whosends ' 'no command is given'
run --help
check "help" 0 '^  ingest ' ''
run -h
check "help, short" 0 '^  ingest ' ''
run help
check "help as a command" 0 '^  senders ' ''
run --version
check "version" 0 '^public suffix list: [0-9]{4}-[0-9]{2}-[0-9]{2}' ''
is "the version comes first" "$(sed -n '1s/^whosends [0-9.]*$/yes/p' "$dir/out")" yes
run senders --version
check "version behind a command" 0 '^whosends [0-9]' ''
run --config /nowhere help
check "help wants no configuration" 0 '^usage: whosends ' ''

# Every command of the table has help that shows each of its options.
run help --table
commands=$(sed -n '/^[a-z]*$/p' "$dir/out")
cp "$dir/out" "$dir/table"
for command in ingest init upgrade maintain prune fsck grant revoke grants names html status problems show senders sources reporters timeline failures summary policy explain overrides subdomains coverage changes verdict approvals approve disown group sql stop; do
    is "there is a command $command" "$(echo "$commands" | grep -x "$command")" "$command"
done
for command in $commands; do
    run help "$command"
    check "help $command" 0 "^usage: whosends $command( |\$)" ''
    for option in $(sed -n "s/^$command --/--/p; s/^whosends --/--/p" "$dir/table"); do
        grep -Eq -e "^  (-[a-z], |    )$option( |\$)" "$dir/out" || not_ok "help $command shows $option"
    done
    mv "$dir/out" "$dir/first"
    run "$command" --help
    is "$command --help is the same" "$status $(cat "$dir/out")" "0 $(cat "$dir/first")"
done
for name in $(sed -n 's/^[a-z]*\.\([a-z_]*\) =.*/\1/p' "$dir/table"); do
    run help config
    grep -q "^  $name =" "$dir/out" || not_ok "help config shows $name"
done
check "help config" 0 'WHOSENDS_IMAP_HOST' ''

run sender
check "a command mistyped" 64 '' "did you mean 'senders'"
run frobnicate
check "no such command" 64 '' 'unknown command .frobnicate.'
run help frobnicate
check "no help for it either" 64 '' 'unknown command .frobnicate.'
run "$(printf 'a\033[31mb')"
check "what would colour the terminal is escaped" 64 '' "'a.x1[bB]\[31mb'"
run senders --fromat csv
check "an option mistyped" 64 '' "did you mean '--format'"
run --format csv senders
check "an option of a command before it" 64 '' 'before the command'
run senders --after move
check "an option of another command" 64 '' "unknown option '--after'"
run senders --format
check "a value missing" 64 '' 'missing argument'
run senders a.example b.example
check "too many arguments" 64 '' 'too many arguments'
run show
check "show of nothing" 64 '' 'no mail is named'
run show 1 2
check "show of two" 64 '' 'too many arguments'
run show 1 --format csv
check "show as CSV" 64 '' 'table or json'
run init now
check "arguments where none belong" 64 '' 'too many arguments'
run status --last 30d
check "a period for the ledger" 64 '' "unknown option '--last'"

run senders --format xml
check "an unknown format" 64 '' 'table, csv or json'
run explain
check "explain nothing" 64 '' 'no record is named'
run explain 1 x
check "explain what is no record" 64 '' 'neither the number of a record nor an address'
run explain 1 --format xml
check "explain in an unknown format" 64 '' 'table, csv or json'
run senders --class spam
check "a class that is none" 64 '' 'authorised, misconfigured, forwarded or unknown'
run failures --samples --class unknown
check "a class where there is none" 64 '' 'has no classes'
run senders --new
check "new since when" 64 '' 'since when a sender is new'
run sources --by as
check "addresses put together by what is none" 64 '' '--by net'
run senders --last 12h
check "hours" 64 '' 'whole days'
run senders --since 2026-02-30
check "a day that is none" 64 '' 'no such day'
run senders --since 2026-02-02 --until 2026-02-01
check "a period that ends before it begins" 64 '' 'before --since'
run senders --limit 0
check "no rows" 64 '' 'number of rows'
run senders a.example --domain b.example
check "two domains" 64 '' 'given twice'
run senders 'a b'
check "no domain" 64 '' 'cannot be a domain'
run senders '<>'
check "a domain without a name" 64 '' 'cannot be a domain'
run ingest --after burn x
check "an unknown word for --after" 64 '' 'leave, flag, move or delete'
run ingest --limit records x
check "a limit without a value" 64 '' 'GROUP.KEY=VALUE'
run ingest --limit recrods=1 x
check "an unknown limit" 64 '' "did you mean 'records'"
run ingest --limit records=many x
check "a limit that is no number" 64 '' 'limits.records'
run ingest
check "nothing to read" 78 '' 'imap.host is not configured'
is "nothing was made" "$(find "$dir/home" "$dir/cluster" -mindepth 1 2>/dev/null)" ""

# A mail transport would return the mail on any other status than 75.
run ingest - --fromat
check "delivery with an unknown option" 75 '' "unknown option '--fromat'"
run ingest - --after burn
check "delivery with a senseless option" 75 '' 'leave, flag'

if test -e /dev/full && test "$tests" -gt 0; then
    status=0
    "$program" help >/dev/full 2>"$dir/err" || status=$?
    : >"$dir/out"
    check "output that does not arrive is no success" 74 '' 'could not write to standard output'
fi
status=0
"$program" help >&- 2>"$dir/err" || status=$?
: >"$dir/out"
check "nor is output that is closed" 74 '' 'could not write to standard output'
status=0
"$program" frobnicate >"$dir/out" 2>&- || status=$?
: >"$dir/err"
check "errors that nobody reads end as others do" 64 '' ''
finish
