#!/bin/bash
# catalogue: one's own senders out of a file and into one; what cannot be is refused with its line, and nothing changes.
. tests/lib/cli_database.sh catalogue
run init
check "init" 0 '*' '*'
psql -X -q -v ON_ERROR_STOP=1 >"$dir/load" 2>&1 <<'SQL' || not_ok "load" "$(cat "$dir/load")"
\i tests/sql/support.sql
SELECT pg_temp.report(1, 'a.example', '2026-10-01');
SELECT pg_temp.record(1, 'a.example', '2026-10-01', '192.0.2.1', 100, '{a.example|news|pass}', NULL, 'a.example|news');
SELECT pg_temp.record(1, 'a.example', '2026-10-01', '198.51.100.7', 40, NULL, '{bounce.shop.test|mfrom|pass}');
SELECT pg_temp.record(1, 'a.example', '2026-10-01', '198.51.100.8', 6, NULL, '{mail.eu.test|mfrom|pass}');
SELECT pg_temp.sum_up();
COMMIT;
SQL
classes() { sql "SELECT string_agg(concat_ws(',', sender, class), ' ') FROM dmarc.senders('a.example')"; }
own() { sql "SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM (SELECT s::text FROM dmarc.sender s UNION ALL SELECT r::text FROM dmarc.sender_rule r) t"; }
header=sender,name,kind,advice,rule,pattern
at_first=$(classes)

run catalogue
check "nothing of one's own: the header" 0 '^sender,name,kind,advice,carrier,rule,pattern,tenant$' ''
cat >"$dir/own.csv" <<CSV
$header
newsletter,"News, ours",own,"CNAME news._domainkey.{domain} -> ""dkim"".a.example",dkim_selector,NEWS

newsletter,,,,spf_domain,news.test
shop,Shop,shop,,spf_domain,shop.test
mailchimp,,,,spf_domain,eu.test
quiet,A name only,saas,,,
CSV
run catalogue --dry-run "$dir/own.csv"
check "a dry run" 0 '^5 rows of your own: 5 new, 0 gone; 3 kinds of mail would change class or name; all of it was taken back$' ''
is "... changes nothing" "$(classes)|$(sql "SELECT count(*) FROM dmarc.sender WHERE origin = 'user'")" "$at_first|0"
run catalogue "$dir/own.csv"
check "a file" 0 '^5 rows of your own: 5 new, 0 gone; 3 kinds of mail changed class or name$' ''
is "stored mail is judged by it" "$(classes)" "News, ours,authorised Shop,misconfigured Mailchimp,misconfigured"
run catalogue
cp "$dir/out" "$dir/printed.csv"
is "what is one's own is printed" "$(cat "$dir/out")" 'sender,name,kind,advice,carrier,rule,pattern,tenant
mailchimp,,,,,spf_domain,eu.test,
newsletter,"News, ours",own,"CNAME news._domainkey.{domain} -> ""dkim"".a.example",,dkim_selector,news,
newsletter,"News, ours",own,"CNAME news._domainkey.{domain} -> ""dkim"".a.example",,spf_domain,news.test,
quiet,A name only,saas,,,,,
shop,Shop,shop,,,spf_domain,shop.test,'
input=$dir/printed.csv run catalogue -
check "and can be loaded again, from standard input" 0 '^5 rows of your own: 0 new, 0 gone; 0 kinds of mail changed class or name$' ''
(printf '\357\273\277' && sed 's/$/\r/' "$dir/own.csv") >"$dir/windows.csv"
run catalogue "$dir/windows.csv"
check "with a byte order mark and CRLF" 0 ': 0 new, 0 gone' ''
sql "INSERT INTO dmarc.sender (key, name, kind, carrier) VALUES ('sum', '=1+1', 'saas', true);
     INSERT INTO dmarc.sender_rule (kind, pattern, sender, tenant) VALUES ('dkim_selector', '-x', 'sum', false), ('dkim_domain', 'y.test', 'sum', true)"
run catalogue
cp "$dir/out" "$dir/printed.csv"
is "no formula is printed" "$(grep -c "^sum,'=1+1,saas,,true,dkim_selector,'-x,\$" "$dir/out")" 1
run catalogue "$dir/printed.csv"
check "and all comes back as it was" 0 '^7 rows of your own: 0 new, 0 gone' ''
sql "UPDATE dmarc.repeatable SET hash = 'of an older program'"
run upgrade
run catalogue
is "an upgrade leaves them" "$(cat "$dir/out")" "$(cat "$dir/printed.csv")"
printf '%s\n' "$header" 'newsletter,News,own,,spf_domain,news.test' >"$dir/other.csv"
run catalogue "$dir/other.csv"
check "another file takes the place of all" 0 '^1 row of your own: 1 new, 7 gone; 3 kinds of mail changed' ''
is "mail is judged without those" "$(classes)" "$at_first"

# refused NAME MESSAGE LINE...: of a file with the header and these lines
before=$(own)
refused() {
    name=$1 message=$2
    shift 2
    printf '%s\n' "$header" "$@" >"$dir/bad.csv"
    run catalogue "$dir/bad.csv"
    check "$name" 65 '' "$message"
    is "... and nothing is changed" "$(own)" "$before"
}
good='new,New,saas,,spf_domain,new.test'
refused "a sender that is not there" "cannot take line 3 of '.*bad.csv': no sender has the key 'nosuch'" "$good" 'nosuch,,,,spf_domain,x.test'
refused "no key" 'line 2 .*the key of the sender is missing' ',X,saas,,spf_domain,x.test'
refused "no kind of sender" "line 2 .*no kind of sender 'sas'" 'new,New,sas,,spf_domain,new.test'
refused "no kind of rule" "line 2 .*no kind of rule 'spf'" 'new,New,saas,,spf,new.test'
refused "no pattern of it" "line 3 .*'a b' cannot be the pattern" "$good" 'new,,,,spf_domain,a b'
refused "a rule twice" 'line 3 .*a rule spf_domain new.test in a line above' "$good" "$good"
refused "half a rule" 'line 2 .*rule and pattern belong together' 'new,New,saas,,spf_domain,'
refused "another name for the same" "line 3 .*something else is said of 'new'" "$good" 'new,Old,saas,,spf_domain,old.test'
refused "another name for one that comes with the program" "line 2 .*'ses' comes with the program as Amazon SES" 'ses,Mine,saas,,spf_domain,x.test'
refused "one that comes with the program, and no rule" 'line 2 .*rule and pattern are missing' 'ses,,,,,'
refused "a name that reports give to others" "line 2 .*cannot be called 'own mail \(x\)'" 'new,own mail (x),saas,,spf_domain,new.test'
refused "a cell too many" 'line 2 .*not as many cells' "$good,"
refused "an open quote, and where it begins" 'line 3 .*quotes' "$good" 'new,"New,saas' 'x' 'y'
refused "a quote in the middle" 'line 2 .*quotes' 'new,N"ew",saas,,spf_domain,new.test'
refused "a line behind a cell of two lines" 'line 4 .*no sender has the key' 'ses,,,"",spf_domain,"x.test"' '' 'nosuch,,,,spf_domain,x.test'
refused "what would colour the terminal" 'line 2 .*control or invisible character' "$(printf 'new,\033[31mNew,saas,,spf_domain,new.test')"
refused "what would turn it round" 'line 2 .*control or invisible character' "$(printf 'new,\342\200\256New,saas,,spf_domain,new.test')"
refused "a line end in a name" 'line 2 .*control or invisible character' 'new,"N' 'ew",saas,,spf_domain,new.test'
refused "what is no UTF-8" "could not read .*, line 3: it is not UTF-8" "$good" "$(printf 'new,\377,saas,,spf_domain,new.test')"
header=sender,name,kind,advice,rule
refused "a header without a column" 'line 1 .*the header of the file is to be sender,name,kind,advice,rule,pattern' "$good"
header=sender,name,kind,advice,rule,pattern,colour
refused "a header with another one" "line 1 .*'colour' is no column" "$good"
header=sender,name,kind,advice,rule,pattern,carrier
refused "a flag that is none" 'line 2 .*true, false or empty' "$good,yes"
: >"$dir/empty.csv"
run catalogue "$dir/empty.csv"
check "an empty file is a mistake" 65 '' 'line 1 .*header'
run catalogue "$dir/nowhere.csv"
check "no file" 66 '' "could not read '.*nowhere.csv': No such file"
run catalogue "$dir"
check "a directory" 66 '' 'could not read .*: Is a directory'
run catalogue --dry-run
check "no file to try" 64 '' 'no file is named'
is "after all of it nothing is changed" "$(own)" "$before"

sql "CREATE ROLE reader LOGIN IN ROLE whosends_read; CREATE ROLE writer LOGIN IN ROLE whosends_ingest"
for role in reader writer; do
    run --database "$PG_CONNINFO user=$role" catalogue "$dir/own.csv"
    check "$role may not" 78 '' 'permission denied'
done
run --database "$PG_CONNINFO user=reader" catalogue
check "but may read them" 0 '^newsletter,News,own,,,spf_domain,news.test,$' ''

# A sender of one's own that stands in the place of one of the program, which came later.
sql "UPDATE dmarc_store.sender SET origin = 'user' WHERE key = 'ses'"
run catalogue "$dir/own.csv"
check "its row has to stay" 65 '' "are of a sender 'ses', whose row is your own"
is "no rule is without its sender" "$(sql "SELECT dmarc_store.lost_sender() IS NULL, count(*) FROM dmarc.sender WHERE key = 'ses'")" "t|1"
finish
