#!/bin/bash
# The demo as people run it: its figures are those of docs/demo/truth.tsv, and a second run changes nothing.
cd "$(dirname "$0")/.." || exit 1
. tests/lib/whole.sh

dir=$(mktemp -d)
config=$dir/demo/whosends.conf
trap 'build/whosends --config "$config" stop >/dev/null 2>&1; rm -rf "$dir"' EXIT
# As root, the server runs as another user.
chmod 711 "$dir"

run()
{
    build/whosends --config "$config" "$@"
}

# Domain, sender, class, messages, DKIM aligned, SPF aligned, as the truth has them.
figures()
{
    run senders --format csv | python3 -c 'import csv, sys
for row in csv.DictReader(sys.stdin):
    print(*(row[c] for c in "domain sender class messages dkim_aligned spf_aligned".split()), sep="\t")'
}

docs/demo.sh "$dir/demo" >"$dir/first" 2>"$dir/err" </dev/null
ok $? "the demo runs" "$dir/err"
[ ! -s "$dir/err" ]
ok $? "and complains about nothing" "$dir/err"
tail -n +2 docs/demo/truth.tsv | sort >"$dir/truth"
figures | sort >"$dir/figures"
diff "$dir/truth" "$dir/figures" >"$dir/diff"
ok $? "its figures are those of docs/demo/truth.tsv" "$dir/diff"

run sql -- -X -A -t -c "SELECT outcome, count(*) FROM message GROUP BY 1 ORDER BY 1" >"$dir/outcomes"
printf '%s\n' 'duplicate|1' 'no_report|1' 'problem|1' 'stored|16' | diff - "$dir/outcomes" >"$dir/diff"
ok $? "every mail is accounted for" "$dir/diff"

[ "$(cd "$dir/demo/pages" && ls | tr '\n' ' ')" = "example.com.html example.org.html index.html " ]
ok $? "its pages are there"

docs/demo.sh "$dir/demo" >"$dir/second" 2>"$dir/err" </dev/null
ok $? "the demo runs again" "$dir/err"
figures | sort | diff "$dir/truth" - >"$dir/diff"
ok $? "the figures are the same" "$dir/diff"
sed '1,/senders$/d' "$dir/first" >"$dir/a" && sed '1,/senders$/d' "$dir/second" | diff "$dir/a" - >"$dir/diff"
ok $? "and so is what it shows" "$dir/diff"
run sql -- -X -A -t -c "SELECT count(*) FROM report" >"$dir/reports"
[ "$(cat "$dir/reports")" = 16 ]
ok $? "there are still 16 reports" "$dir/reports"

run stop >/dev/null
ok $? "its database is stopped"
data=$(sed -n 's/^data_directory = //p' "$config")
[ -z "$(find "$data" -name postmaster.pid)" ]
ok $? "and does not run"
echo "1..$n"
exit $failed
