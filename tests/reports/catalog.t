#!/bin/bash
# The reports through the program: which columns, sorting, limits, periods, nothing to show, hostile text in each format.
. tests/lib/cli.sh
. tests/lib/postgres.sh
chmod 711 "$dir"
cleanup() { pg_stop; }
mkdir "$dir/pg"
pg_start "$dir/pg" || exit 1
pg_newdb reports || exit 1
export WHOSENDS_DATABASE=$PG_CONNINFO
run init
check "init" 0 '*' '*'

for report in summary senders sources 'sources --by net' failures timeline reporters 'reporters --disagree' policy overrides subdomains \
    coverage changes approvals tls 'failures --samples'; do
    case $report in
    approvals) none='no sender was approved or disowned' ;;
    tls) none='no TLS reports' ;;
    *samples) none='no failure reports' ;;
    *) none='no reports' ;;
    esac
    run $report a.example --last 30d
    check "$report: nothing" 0 "^$none for a\.example in this period$" ''
    run $report --format json
    is "$report: nothing as JSON" "$(cat "$dir/out")" "[]"
    run $report --format csv
    is "$report: nothing as CSV is the header" "$(wc -l <"$dir/out") $(cut -d, -f1 "$dir/out")" "1 domain"
done
run senders --new a.example --last 30d
check "senders --new: nothing" 0 '^no reports for a\.example in this period$' ''
run verdict a.example
check "verdict: nothing, and not ready" 1 '^no reports for a\.example$' ''
run verdict --line --format json
is "verdict --line: nothing as JSON" "$status $(cat "$dir/out")" "1 []"
run problems
check "problems: none" 0 '^no problems$' ''
run problems --untrusted
check "problems --untrusted: none" 0 '^no report is flagged$' ''
for report in senders failures overrides changes; do
    run $report
    is "$report: nothing at all" "$(cat "$dir/out")" "no reports"
done

psql -X -q -v ON_ERROR_STOP=1 >"$dir/load" 2>&1 <<'SQL' || not_ok "load" "$(cat "$dir/load")"
\i tests/sql/support.sql
SELECT pg_temp.report(1, 'a.example', '2026-10-01');
SELECT pg_temp.report(2, 'b.example', '2026-10-02', warnings => '{date_swap,null_row}');
SELECT pg_temp.record(1, 'a.example', '2026-10-01', '192.0.2.1', 1234, '{a.example|s2026|pass}', NULL, 'a.example|s2026');
SELECT pg_temp.record(1, 'a.example', '2026-10-01', '198.51.100.7', 40, NULL, '{bounce.mcsv.net|mfrom|pass}');
SELECT pg_temp.record(1, 'a.example', '2026-10-01', '198.51.100.8', 6, ARRAY[E'\033[31m=evil()|s|fail'], header_from => '=cmd()');
SELECT pg_temp.record(2, 'b.example', '2026-10-02', '192.0.2.1', 7);
SELECT pg_temp.sum_up();
COMMIT;
SQL

# What there is none of among reports that are there is another thing than no report.
run failures typo.example
check "failures of a domain without reports" 0 '^no reports for typo\.example$' ''
run overrides a.example
check "overrides: none" 0 '^no overrides for a\.example$' ''
run overrides
check "... of all domains" 0 '^no overrides$' ''
run overrides a.example --since 2026-10-02
check "... without a report in the period" 0 '^no reports for a\.example in this period: there are some of 2026-10-01$' ''
for report in senders failures policy verdict; do
    run $report --until 2026-09-30
    is "$report: when there are reports, if not in the period" "$(head -n 1 "$dir/out")" 'no reports in this period: there are some of 2026-10-01 to 2026-10-02'
done
run senders typo.example --until 2026-09-30
check "... and when there are none" 0 '^no reports for typo\.example in this period$' ''
run reporters --disagree b.example
check "reporters --disagree: nobody" 0 '^no reporter that disagrees with its own results for b\.example$' ''
run senders a.example --class forwarded
check "no sender of a class" 0 '^nothing of class forwarded for a\.example$' ''
run senders typo.example --class forwarded
check "... nor a report" 0 '^no reports for typo\.example$' ''

run senders
is "all domains: each line begins with one" "$(sed '/^$/,$d' "$dir/out" | grep -o '^[a-z][a-z.]*' | uniq -c | tr -s ' \n' ' ')" " 1 domain 3 a.example 1 b.example "
run senders a.example
is "one domain: it is not repeated" "$(sed -n '2,3s/ *//p' "$dir/out" | cut -d' ' -f1)" "sender
own"
check "what is misconfigured gets advice below" 0 '^  Mailchimp: CNAME k2\._domainkey\.a\.example -> ' ''
run senders b.example
check "what is not gets none" 0 '*' ''
is "... not even a heading" "$(grep -c 'What to do' "$dir/out")" 0
run senders a.example --format csv
is "CSV: all columns" "$(head -n 1 "$dir/out")" \
    "domain,sender,class,messages,share,dkim_aligned,spf_aligned,sources,first_seen,last_seen,confidence,evidence,known,kind,sender_key,advice,approved,trend,hosts"
is "CSV: no advice below" "$(wc -l <"$dir/out")" 4
is "CSV: figures" "$(sed -n 2p "$dir/out")" \
    'a.example,own mail (selector s2026),authorised,1234,0.964063,1234,0,1,2026-10-01,2026-10-01,high,"dkim d=a.example s=s2026, passed",false,,,,,1234,'
run reporters b.example --format json
check "JSON: types" 0 '"reports": 1, "records": 1, "messages": 7, .*"warnings": \["date_swap=1", "null_row=1"\], "first_seen": "2026-10-02"' ''
run summary --since 2026-10-02 --format csv
is "a period" "$(sed 1d "$dir/out" | cut -d, -f1,2)" "b.example,7"

messages() { sed 1d "$dir/out" | cut -d, -f4 | tr '\n' ' '; }
run senders a.example --format csv --sort messages
is "sorted" "$(messages)" "6 40 1234 "
run senders a.example --format csv --sort=-messages --limit 2
is "sorted from the other end, limited" "$(messages)" "1234 40 "
run senders a.example --format csv --sort=-advice --limit 1
is "what is empty comes last" "$(messages)" "40 "
run senders --sort 'messages; DROP TABLE dmarc_store.report'
check "a sort that is no column" 64 '' "cannot sort senders by 'messages; DROP TABLE dmarc_store.report'"
run senders --sort 'messages"'
check "a sort with a quote in it" 64 '' "its columns are domain sender class messages"
run senders --sort Messages
check "names are taken as they are" 64 '' "cannot sort"
run status --format csv
is "reports are still there" "$(sed 1d "$dir/out" | cut -d, -f9)" 2
check "a size is one of bytes in CSV" 0 ',[0-9]{7,}$' ''
run status
check "... and has its unit in a table" 0 '^database size  *[0-9.]+ MB$' ''

run failures a.example
is "hostile text: no escape reaches a table" "$(grep -c "$(printf '\033')" "$dir/out") $(grep -c 'd=.x1b\[31m=evil()' "$dir/out")" "0 1"
run failures a.example --format csv --sort messages
is "hostile text: no formula in CSV" "$(sed -n 2p "$dir/out" | cut -d, -f4,5)" "'=cmd(),d=\\x1b[31m=evil() s=s fail"
run failures a.example --format json --sort messages
check "hostile text: escaped in JSON" 0 '"header_from": "=cmd\(\)", "dkim": "d=\\u001b\[31m=evil\(\) s=s fail"' ''
is "... which a parser reads" "$(python3 -c 'import json,sys; print(repr(json.load(sys.stdin)[0]["dkim"]))' <"$dir/out")" "'d=\\x1b[31m=evil() s=s fail'"

# Where the locale is not UTF-8, a terminal may take bytes of it for control characters: that of U+00DB for CSI.
beyond_ascii() { LC_ALL=C grep -c '[^ -~]' "$1"; }
psql -X -q -c "UPDATE dmarc_store.report SET org_name = E'\u00db31m\u9999', reporter = E'\u00db31m\u9999' WHERE id = 1" >/dev/null
LC_ALL=C run reporters a.example
check "another locale: a table is ASCII" 0 '^.u[{]00DB[}]31m.u[{]9999[}] +1 ' ''
is "... all of it" "$(beyond_ascii "$dir/out")" 0
LC_ALL=C run senders --sort "$(printf '\303\233')"
is "... and an error" "$status $(beyond_ascii "$dir/err") $(grep -c 'u{00DB}' "$dir/err")" "64 0 1"
for format in csv json; do
    LC_ALL=C run reporters a.example --format $format
    is "... but $format stays UTF-8" "$(grep -c "$(printf '\303\233')31m" "$dir/out")" 1
done
run reporters a.example
is "UTF-8: shown as it is" "$(grep -c "^$(printf '\303\233')31m" "$dir/out")" 1
run senders --sort "$(printf '\303\233')"
is "... in an error, too" "$(grep -c "$(printf '\303\233')" "$dir/err")" 1

psql -X -q -c "UPDATE dmarc_store.report SET trusted = false WHERE id = 2; UPDATE dmarc_store.report SET foreign_domain = true WHERE id = 1; SELECT dmarc_store.rebuild(NULL, NULL, NULL)" >/dev/null
for report in summary senders sources 'sources --by net' failures timeline reporters policy; do
    run $report --trusted --format csv
    is "$report --trusted: nothing is left" "$status $(wc -l <"$dir/out")" "0 1"
done
psql -X -q -c "UPDATE dmarc_store.report SET foreign_domain = false; SELECT dmarc_store.rebuild(NULL, NULL, NULL)" >/dev/null
run senders --trusted --format csv
is "senders --trusted: what is not flagged" "$(sed 1d "$dir/out" | cut -d, -f1 | uniq -c | tr -s ' ')" " 3 a.example"
run reporters --disagree --trusted
check "reporters --disagree --trusted" 0 '^no reporter that disagrees with its own results$' ''
run problems --untrusted
check "problems --untrusted: the report, and what the flag means" 0 '^reporter_mismatch *b\.example .*|^reporter_mismatch: The mail ' ''
run problems --untrusted --format json
check "problems --untrusted as JSON" 0 '"code": "reporter_mismatch", "domain": "b.example", "reporter": "reporter.example", "report_id": "r2", ' ''

psql -X -q -v ON_ERROR_STOP=1 >"$dir/load" 2>&1 <<'SQL' || not_ok "load" "$(cat "$dir/load")"
\i tests/sql/support.sql
SELECT pg_temp.report(100 + i, d, date '2026-08-31' + i) FROM generate_series(1, 14) i, unnest(ARRAY['c.example', 'd.example']) d;
SELECT pg_temp.record(101, d, '2026-09-01', '192.0.2.1', 1000, ARRAY[d || '|s|pass'], NULL, d || '|s') FROM unnest(ARRAY['c.example', 'd.example']) d;
SELECT pg_temp.record(101, 'd.example', '2026-09-01', '192.0.2.2', 100, '{mcsv.net|k|pass}');
SELECT pg_temp.report(200, 'none.example', '2026-09-01');
INSERT INTO dmarc_store.domain_group VALUES ('c.example', 'both'), ('d.example', 'both');
SELECT pg_temp.sum_up();
COMMIT;
SQL
run verdict c.example
check "verdict: ready" 0 '^c\.example is ready for p=quarantine: of 1,000 messages that may be sent, none would be lost' ''
run verdict d.example
check "verdict: not yet" 1 '^d\.example is not ready for p=quarantine: Mailchimp would lose 100 messages' ''
is "... with a line for each sender above, and advice" "$(grep -c -e '^Mailchimp ' -e '^own mail' -e '^  Mailchimp: ' "$dir/out")" 3
run verdict --group both
check "verdict of a group: a sentence for each, and not ready while one is not" 1 '^c\.example is ready' ''
run verdict d.example --format csv
is "verdict as CSV: no sentence, the same status" "$status $(sed 1d "$dir/out" | cut -d, -f2,3,6,7,9,12 | paste -sd' ')" \
    "1 Mailchimp,misconfigured,100,0,100,fix own mail (selector s),authorised,1000,1000,0,keep"
run verdict --line --group both --format json
check "verdict --line as JSON" 1 '"domain": "c.example", "ready": true, "now": "p=none", "next": "p=quarantine", "sentence": "c.example is ready' ''
run verdict c.example --since 2026-09-02
check "verdict of a shorter period" 1 'too little is known to say: 13 reports of 13 days' ''
for report in senders sources 'sources --by net' subdomains verdict; do
    run $report none.example
    is "$report: reports without any mail are reports" "$(head -n 1 "$dir/out")" 'no mail in the reports for none.example'
done
run sources --group both --by net --format csv
is "sources by networks" "$(sed 1d "$dir/out" | cut -d, -f1-3,5,7)" 'c.example,192.0.2.0/24,own mail (selector s),1000,1
d.example,192.0.2.0/24,own mail (selector s),1000,1
d.example,192.0.2.0/24,Mailchimp,100,1'

run senders --new --last 1y --class misconfigured --format csv
is "senders --new --class" "$(sed 1d "$dir/out" | cut -d, -f1,2,4 | paste -sd' ')" "a.example,Mailchimp,40 d.example,Mailchimp,100"
run senders --new --since 2026-10-02
check "senders --new: of those that were there before, none" 0 'b\.example .*|nothing authenticates' ''
is "... nor their other mail" "$(grep -c -e 'Mailchimp' "$dir/out")" 0
run verdict d.example --class unknown
check "verdict --class: the sentence is about all" 1 '^d\.example is not ready' ''
run failures --class unknown --format csv --sort messages
is "failures --class, sorted" "$(sed 1d "$dir/out" | cut -d, -f1,9 | paste -sd' ')" "a.example,6 b.example,7"
run changes c.example --since 2026-09-08 --until 2026-09-14
check "changes" 0 '^gone  *own mail \(selector s\)  *authorised  *1,?000 ' ''
run coverage c.example --until 2026-09-20
check "coverage: the domain first" 0 'no report at all for 6 days' ''
run coverage c.example --until 2026-09-20 --format json
is "coverage: the days that are missing, as JSON" "$(python3 -c 'import json, sys; print({type(row["missing_days"]).__name__ for row in json.load(sys.stdin)})' <"$dir/out")" "{'list'}"

# on_terminal COLUMNS ARGUMENT...: what the program writes to a terminal that is so wide
on_terminal()
{
    COLUMNS=$1 python3 -c 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]))' "$program" "${@:2}" </dev/null | tr -d '\r'
}
is "timeline on a terminal: bars and what they mean" "$(on_terminal 160 timeline d.example --limit 1 --no-color | tail -n 3 | sed 's/.*  *1  //')" \
    "$(printf '%.0s█' $(seq 36))▓▓▓▓

█ authorised  ▓ misconfigured  ▒ forwarded  ░ unknown"
is "... in a locale without such signs" "$(LC_ALL=C on_terminal 160 timeline d.example --no-color | tail -n 1)" \
    "# authorised  + misconfigured  - forwarded  . unknown"
is "senders on a terminal: a trend for each row" "$(on_terminal 160 senders d.example --no-color | sed -n 's/^\(own\|Mail\).*[0-9]  \([.▁▂▃▄▅▆▇█]\{12\}\) .*/\1 \2/p' | paste -sd' ')" \
    "own █........... Mail █..........."
is "... in a locale without such signs" "$(LC_ALL=C on_terminal 160 senders d.example --no-color | grep -c ' #\.\{11\} ')" 2
is "... not where it is narrow" "$(on_terminal 100 senders d.example --no-color | grep -c trend)" 0
is "summary on a terminal: the same" "$(on_terminal 200 summary --no-color | sed -n 's/^d.example *[0-9]* *\([^ ]*\) .*/\1/p')" "█..........."
for width in 40 60 80; do
    is "timeline makes room for its bars at $width" "$(on_terminal $width timeline d.example --limit 1 --no-color | grep -c '^2026-09-01  *1,*100  *90\.9%.*  █████████*▓▓*$')" 1
done
is "... and what they mean is no wider" "$(on_terminal 40 timeline d.example --limit 1 --no-color | tail -n 2 | paste -sd'|')" \
    "█ authorised  ▓ misconfigured|▒ forwarded  ░ unknown"
widest() { on_terminal "$@" --no-color | awk '{ if (length($0) > most) most = length($0) } END { print most + 0 }'; }
for report in summary senders sources 'sources --by net' failures timeline reporters policy overrides subdomains coverage changes verdict 'verdict --line'; do
    width=$(LC_ALL=C widest 80 $report)
    is "$report: no line is wider than the terminal, what follows the table included" "$((width > 0 && width <= 80))" 1
done
is "advice goes on below, indented, with whole names" "$(on_terminal 60 senders d.example --no-color | sed -n '/^  Mailchimp/,$p' | head -n 3)" \
    "  Mailchimp: CNAME k2._domainkey.d.example ->
    dkim2.mcsv.net and k3._domainkey.d.example ->
    dkim3.mcsv.net; SPF never aligns, DKIM decides; remove"
is "policies of all domains are a table at 80" "$(on_terminal 80 policy --no-color | grep -c '^[abcd]\.example ')" 4
is "... and so are sub-domains" "$(on_terminal 80 subdomains --no-color | grep -c '^[abcd]\.example ')" 5
run sources a.example
is "sources have no column of names where none were looked up" "$(grep -c reverse "$dir/out")" 0
is "timeline of all domains has no empty column" "$(on_terminal 80 timeline --no-color | sed -n 2p | cut -c1-3)" "day"
is "verdict --line: the whole sentence at 80" "$(on_terminal 80 verdict --line d.example --no-color | tr -s ' \n' ' ' | grep -c 'Mailchimp would lose 100 messages, 9\.1% of what may be sent (disown it')" 1
run timeline d.example --limit 1
is "... and nowhere else" "$(tail -n 1 "$dir/out" | tr -s ' ')" "2026-09-01 1100 90.9% 1000 100 0 0 1"

psql -X -q -v ON_ERROR_STOP=1 >"$dir/load" 2>&1 <<'SQL' || not_ok "load" "$(cat "$dir/load")"
\i tests/sql/support.sql
SELECT pg_temp.report(200 + i, 'long-name.brand.example', date '2026-08-01' + i) FROM generate_series(1, 60) i;
SELECT pg_temp.record(200 + i, d, date '2026-08-01' + i, '192.0.2.1', CASE WHEN i < 31 THEN 90 ELSE 30 END, ARRAY[d || '|s|pass', 'mcsv.net|k|pass'], NULL, d || '|s'),
       pg_temp.record(200 + i, d, date '2026-08-01' + i, '192.0.2.1', CASE WHEN i < 31 THEN 10 ELSE 90 END, ARRAY[d || '|s|fail', 'mcsv.net|k|pass'])
FROM generate_series(1, 60) i, (VALUES ('long-name.brand.example')) v (d);
SELECT pg_temp.report(300, 'lists.example', '2026-09-01');
SELECT pg_temp.record(300, 'lists.example', '2026-09-01', '192.0.2.1', 7, '{lists-of-strangers.test|s|pass}');
SELECT pg_temp.report(9, 'twice.example', '2026-10-01');
SELECT pg_temp.record(9, 'twice.example', '2026-10-01', '198.51.100.7', n, CASE WHEN n > 1 THEN '{twice.example|k2|fail}'::text[] END,
                      ARRAY['bounce.mcsv.net|mfrom|pass', CASE WHEN n > 2 THEN 'm.mcsv.net|helo|pass' END])
FROM generate_series(1, 3) n;
SELECT pg_temp.sum_up();
COMMIT;
SQL
run approve twice.example Mailchimp --note 'the newsletter of the works council, until its contract ends in May 2027, says Jo'
check "approve" 0 '*' ''
is "the owner's words are shown in full" "$(on_terminal 80 approvals --no-color | sed 's/^.\{44\}//' | tr -s ' \n' ' ' | grep -c 'ends in May 2027, says Jo')" 1
run approve twice.example Mailchimp --forget
run failures twice.example
is "one advice of several rows is told once, and in its own words" "$(grep -c '^Mailchimp' "$dir/out") $(sed -n '/^What to do/,$p' "$dir/out" | cut -c1-40 | head -n 3 | paste -sd'|')" \
    "3 What to do:|  Mailchimp: CNAME k2._domainkey.twice.e"
is "a sender is in one line at 80" "$(on_terminal 80 senders lists.example --no-color | grep -c '^lists-of-strangers\.test (not known)  unknown  *7 ')" 1
is "... with what aligns, if need be in two" "$(on_terminal 80 senders --no-color | sed -n 2p | grep -c 'messages  aligned  aligned$')" 1
run changes long-name.brand.example
check "changes: a share among numbers is told as one" 0 '^lost alignment  *Mailchimp  *misconfigured  *90\.0%  *25\.0%  *25\.0% of ' ''
is "no name of a domain is cut, nor broken for columns that can go" \
    "$(on_terminal 80 summary --no-color | grep -c '^long-name\.brand\.example ') $(on_terminal 60 senders --no-color | tr -d ' \n' | grep -c 'long-name.*brand')" "1 1"
run senders a.example --format xml
check "an unknown format" 64 '' "unknown format 'xml'"
"$program" senders >/dev/full 2>"$dir/err"
status=$?
: >"$dir/out"
check "an output that is full" 74 '' 'could not write the report'
finish
