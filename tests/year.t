#!/bin/bash
# A generated year in small: who was planted is found, by name, class and figures, and nobody else; before and after the owners
# of the domains say their word. bench/year.sh is the same with many domains and millions of records.
. tests/lib/cli_database.sh year
truth=$dir/truth

# right REPORT TRUTH
right()
{
    run "$1" --format json
    if test "$status" = 0 && bench/year.py compare "$truth/$2" "$1" "$dir/out" >"$dir/compared" 2>&1; then
        ok "$2 the owners' word: $(cat "$dir/compared")"
    else
        not_ok "$2 the owners' word: $1" "$(cat "$dir/err" "$dir/compared")"
    fi
}

bench/year.py make --mbox "$dir/mbox" --split 100 --truth "$truth" --records 8000 --records-mean 12 --domains 20 || exit 1
is "every kind of sender is planted" "$(awk -F '\t' '!$3 { print $1 }' "$truth/kinds")" ''
for mbox in "$dir"/mbox.*; do
    run ingest --quiet "$mbox"
    check "ingest ${mbox##*/}" 0 '' ''
done
is "some came twice, broken off before or after they came whole, broken off for ever, with the identity of another" "$(sql "
    SELECT (SELECT count(*) > 0 FROM dmarc_store.message WHERE outcome = 'duplicate'), bool_or(replaced),
           bool_or(incomplete AND NOT replaced), bool_or(id_collision) FROM dmarc_store.report")" 't|t|t|t'
for report in senders sources summary; do
    right $report before
done
run maintain
check "maintain" 0 '*' '*'
right senders before
is "owners say something" "$(cut -f 1 "$truth/words" | sort | uniq -c | wc -l)" 2
while IFS=$'\t' read -r verb domain sender; do
    run "$verb" "$domain" "$sender"
    test "$status" = 0 || not_ok "$verb $domain $sender" "$(cat "$dir/err")"
done <"$truth/words"
is "which changes something" "$(cmp -s "$truth/before" "$truth/after" || echo yes)" yes
for report in senders sources summary; do
    right $report after
done
finish
