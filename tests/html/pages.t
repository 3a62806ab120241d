#!/bin/bash
# The pages as files: which there are, how they are written, that they are well-formed, closed to the outside, and have the
# figures of the shell. How a browser takes them: browser.t.
. tests/html/site.sh

run html
check "no directory" 64 '' 'no directory for the pages'
run html -o "$dir/site" 'not a domain'
check "no domain" 64 '' "'not a domain' cannot be a domain"
run html -o "$dir/site" --last 90x
check "no period" 64 '' 'cannot read --last'
is "nothing is made for what makes no sense" "$(ls "$dir/site" 2>&1 | grep -c 'No such file')" 1

run html --verbose -o "$dir/site/deep" $period
check "all domains" 0 "^9 domains: see $dir/site/deep/index.html\$" "page of 'a\.example': [0-9.]+ ms"
mv "$dir/site/deep" "$dir/pages" && rmdir "$dir/site" && mv "$dir/pages" "$dir/site"
up=$(printf '../../up' | sha256sum | cut -c1-64) index=$(printf index | sha256sum | cut -c1-64)
is "a file for each, and nothing else" "$(cd "$dir/site" && ls -A | sort | tr '\n' ' ')" "$(printf '%s\n' "$up..html" "$index..html" \
    {a,day,empty,hostile,huge,many,years}.example.html index.html | sort | tr '\n' ' ')"
is "none outside" "$(find "$dir" -name 'up*.html' | wc -l)" 0

# The state of before is there until a page is whole, and its name does not lead through a link.
echo old >"$dir/elsewhere" && ln -sf "$dir/elsewhere" "$dir/site/day.example.html"
echo kept >"$dir/site/gone.example.html"
run html -o "$dir/site" $period
check "again" 0 '^9 domains' ''
is "a link is replaced, not followed" "$(cat "$dir/elsewhere") $(test -h "$dir/site/day.example.html" || echo file)" "old file"
is "pages of domains that are gone stay" "$(cat "$dir/site/gone.example.html")" kept
rm "$dir/site/gone.example.html"
rm "$dir/site/a.example.html" && mkdir "$dir/site/a.example.html"
run html -o "$dir/site" $period
check "a page that cannot be written" 75 '' "could not write '$dir/site/a.example.html': "
is "leaves nothing half" "$(ls -A "$dir/site" | grep -c '^\.')" 0
rmdir "$dir/site/a.example.html"
run html -o "$dir/elsewhere" $period
check "a directory that cannot be made" 75 '' "could not make directory '$dir/elsewhere'"

run html -o "$dir/some" --last 30d A.example NOWHERE.example a.example
check "some domains, of which one is not known" 0 '^2 domains' 'there is no report about nowhere\.example'
is "the index has these" "$(cd "$dir/some" && ls | tr '\n' ' ')" "a.example.html index.html nowhere.example.html "
check_text() { is "$1" "$(grep -c "$3" "$dir/some/$2")" "$4"; }
check_text "and says where there is nothing" index.html 'no reports in this period' 2
check_text "so does the page" nowhere.example.html '<p class="empty">No reports about this domain in this period' 1
mkdir "$dir/none"
touch -d '2 hours ago' "$dir/none/.a.example.html.Ab3dEf" "$dir/none/.a.example.html.bak"
touch "$dir/none/.index.html.Gh1jKl"
run html -o "$dir/none" --since 2001-01-01 --until 2001-01-02
check "no reports at all" 0 '^0 domains' ''
is "the index says so" "$(grep -c '<p class="empty">No reports in this period' "$dir/none/index.html") $(ls "$dir/none")" "1 index.html"
is "what a run that was killed left long ago is gone" "$(cd "$dir/none" && echo .[a-z]*)" ".a.example.html.bak .index.html.Gh1jKl"
is "and for which period" "$(grep -c 'Reports of 2001-01-01 to 2001-01-02\.' "$dir/none/index.html")" 1

psql -X -q -c "UPDATE dmarc_store.report SET foreign_domain = true WHERE domain = 'day.example'; SELECT dmarc_store.rebuild(NULL, NULL, NULL)" >/dev/null
run html -o "$dir/trusted" --trusted $period
check "--trusted leaves out what nobody vouches for" 0 '^8 domains' ''
is "and says so" "$(grep -c 'nobody vouches for are left out' "$dir/trusted/a.example.html")" 1
psql -X -q -c "UPDATE dmarc_store.report SET foreign_domain = false; SELECT dmarc_store.rebuild(NULL, NULL, NULL)" >/dev/null

run html -o "$dir/site" $period
for name in senders reporters coverage timeline; do
    run $name --format json $period $(test $name != timeline || echo a.example)
    cp "$dir/out" "$dir/$name.json"
done
python3 tests/html/pages.py "$dir/site" "$dir" >"$dir/tap"
while read -r line; do
    case $line in
    'ok '*) ok "${line#ok }" ;;
    'not ok '*) not_ok "${line#not ok }" ;;
    *) echo "$line" ;;
    esac
done <"$dir/tap"

psql -X -q -v ON_ERROR_STOP=1 >/dev/null <<'SQL'
\i tests/sql/support.sql
SELECT pg_temp.report(1000 + n, 'd' || n || '.example', '2019-05-05') FROM generate_series(1, 501) n;
SELECT pg_temp.sum_up();
COMMIT;
SQL
run html -o "$dir/most" --since 2019-05-01 --until 2019-05-31
check "more domains than a table of the index has" 0 '^501 domains' ''
is "are in two, with a way to each" "$(grep -o 'Domains [0-9]* to [0-9]*<\|href="#from-[0-9]*"' "$dir/most/index.html" | tr '\n' ' ')" \
    'href="#from-1" href="#from-501" Domains 1 to 500< Domains 501 to 501< '
is "none is left out" "$(grep -o '<a href="d[0-9]*\.example\.html">' "$dir/most/index.html" | sort -u | wc -l)" 501
finish
