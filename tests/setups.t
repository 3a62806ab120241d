#!/bin/bash
# The set-ups of tests/setups.txt, from report to answer: each is called by its name and class, with advice, and nobody who
# forges one is.
. tests/lib/cli_database.sh setups

mkdir "$dir/reports"
python3 tests/lib/setups.py write "$dir/reports" || exit 1
for command in "ingest $dir/reports" "sources --format csv" "senders --format csv"; do
    run $command
    if test "$status" != 0; then
        not_ok "$command" "$(cat "$dir/err")"
        finish
    fi
    cp "$dir/out" "$dir/${command%% *}"
done
python3 tests/lib/setups.py compare "$dir/sources" "$dir/senders"
