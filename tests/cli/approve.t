#!/bin/bash
# approve, disown, approvals and group: which sender is meant, what is said, and what becomes of classes and reports.
. tests/lib/cli_database.sh approve
run init
check "init" 0 '*' '*'
psql -X -q -v ON_ERROR_STOP=1 >"$dir/load" 2>&1 <<'SQL' || not_ok "load" "$(cat "$dir/load")"
\i tests/sql/support.sql
SELECT pg_temp.report(1, 'a.example', '2026-10-01');
SELECT pg_temp.report(2, 'b.example', '2026-10-02');
SELECT pg_temp.record(1, 'a.example', '2026-10-01', '192.0.2.1', 100, '{a.example|s2026|pass,sendgrid.net|s|pass}', NULL, 'a.example|s2026');
SELECT pg_temp.record(1, 'a.example', '2026-10-01', '198.51.100.7', 40, NULL, '{bounce.mcsv.net|mfrom|pass}');
SELECT pg_temp.record(1, 'a.example', '2026-10-01', '198.51.100.8', 6, '{mail.shop.test|s|pass}');
SELECT pg_temp.record(2, 'b.example', '2026-10-02', '198.51.100.9', 5, '{x.em.secureserver.net|s|pass}');
SELECT pg_temp.record(2, 'b.example', '2026-10-02', '198.51.100.8', 7, '{mail.shop.test|s|pass}');
SELECT pg_temp.sum_up();
COMMIT;
SQL
classes() { sql "SELECT string_agg(concat_ws(',', sender, class, approved), ' ') FROM dmarc.senders('$1')"; }

run approvals
check "nothing is said yet" 0 '^no sender was approved or disowned$' ''
is "classes at first" "$(classes a.example)" "Twilio SendGrid,authorised Mailchimp,misconfigured mail.shop.test (not known),unknown"
run approve a.example 'mail.shop.test (not known)' --note 'the shop; asked Jo'
check "approve, as the report writes it" 0 '^mail.shop.test is approved for a\.example: 1 kind of its mail changed class or name$' ''
run approve A.Example SHOP.test
check "approve, and all below it" 0 '^shop\.test is approved for a\.example$' ''
run disown a.example mailchimp
check "disown, by its key" 0 '^Mailchimp is disowned for a\.example: 1 kind ' ''
run disown a.example 'twilio sendgrid'
check "disown, by its name" 0 '^Twilio SendGrid is disowned for a\.example$' ''
is "classes then" "$(classes a.example)" "Twilio SendGrid,authorised,f Mailchimp,unknown,f mail.shop.test (approved),misconfigured,t"
is "not those of another domain" "$(classes b.example)" "mail.shop.test (not known),unknown GoDaddy Email Marketing,misconfigured"
is "the sums follow" "$("$program" summary a.example --format csv | sed 1d | cut -d, -f5-8)" "100,6,0,40"
run senders a.example
check "what passes though it is disowned is told" 0 '^  Twilio SendGrid: it is disowned, and passes DMARC' ''
run approvals a.example --format csv
is "approvals" "$(sed 1d "$dir/out" | cut -d, -f1-5,8,9)" 'a.example,mail.shop.test,mail.shop.test,true,the shop; asked Jo,6,2026-10-01
a.example,shop.test,shop.test,true,,6,2026-10-01
a.example,mailchimp,Mailchimp,false,,40,2026-10-01
a.example,sendgrid,Twilio SendGrid,false,,100,2026-10-01'
run approve a.example mail.shop.test
is "a note stays when the same is said again" "$(sql "SELECT note FROM dmarc.approval WHERE sender = 'mail.shop.test'")" "the shop; asked Jo"
run disown a.example mail.shop.test
is "... and goes with another word" "$(sql "SELECT approved, note FROM dmarc.approval WHERE sender = 'mail.shop.test'")" "f|"
run disown --forget a.example mail.shop.test
check "forget" 0 '^mail\.shop\.test is neither approved nor disowned for a\.example' ''
run approve --forget a.example mailchimp
is "classes without that" "$(classes a.example)" "Twilio SendGrid,authorised,f Mailchimp,misconfigured shop.test (approved),misconfigured,t"
run approve b.example bounce.mcsv.net
check "a domain of a known sender means that sender" 0 '^Mailchimp is approved for b\.example$' 'nothing of Mailchimp was seen in mail of b\.example yet'
run disown b.example 'GoDaddy Email Marketing'
is "who is disowned does not become who owns the domain above his" "$(classes b.example | sed 's/.*GoDaddy/GoDaddy/')" "GoDaddy Email Marketing,unknown,f"
run approve c.example mailchimp
check "a domain without reports" 0 '*' 'there is no report about c\.example'

run approve a.example mailchmp
check "a sender mistyped" 64 '' "no sender is called 'mailchmp'.*|did you mean 'mailchimp'"
run approve a.example 'nobody at all'
check "no such sender" 64 '' 'whosends senders a\.example'
run approve a.example 'own mail (selector s2026)'
check "own mail" 64 '' 'nothing to decide'
run disown a.example 'nothing authenticates'
check "mail without a name" 64 '' 'has no name'
run approve A.example a.EXAMPLE
check "own mail by its domain" 64 '' 'nothing to decide'
run approve a.example mail.A.example
check "... or by one below it" 64 '' 'nothing to decide'
run approve a.example co.uk
check "a public suffix" 64 '' 'anybody can have a domain below co\.uk'
run approve a.example GitHub.io
check "... of those that companies offer, too" 64 '' 'anybody can have a domain below github\.io'
run approve b.example m365
check "a provider where anybody has an account" 0 '^Microsoft 365 / Outlook is approved for b\.example$' 'anybody can have an account at Microsoft 365 / Outlook'
run approve --forget b.example m365
check "... taken back, with no word about that" 0 'neither approved nor disowned' ''
run approve b.example b-ltd.onmicrosoft.com
check "one account there" 0 '^b-ltd\.onmicrosoft\.com is approved for b\.example$' 'nothing of b-ltd\.onmicrosoft\.com was seen in mail of b\.example yet'
run approve --forget b.example b-ltd.onmicrosoft.com
run disown b.example github.io
check "a public suffix may be disowned" 0 '^github\.io is disowned for b\.example$' 'nothing of github\.io was seen'
run disown --forget b.example github.io
run approve --forget b.example mail.b.example
check "what could be said once can be taken back" 0 'mail\.b\.example is neither' ''
run approve b.example proofpoint
check "no account is named where providers have none by name" 0 '^Proofpoint is approved' 'anybody can have an account at Proofpoint, and all of them are approved now$'
run approve --forget b.example proofpoint
run approve a.example
check "no sender" 64 '' 'are to be named'
run approve 'a b' mailchimp
check "no domain" 64 '' 'cannot be a domain'
run approve a.example x.test "$(printf 'y')"
check "too much" 64 '' 'too many arguments'
run approve a.example "$(printf 'x\033[31m')"
check "what would colour the terminal is escaped" 64 '' "'x.x1b\[31m'"

run group
check "no group" 0 '^no groups$' ''
run group customer-x add A.example c.example
check "add" 0 '^2 domains added$' ''
run group customer-x add a.example
check "what is in it is not added again" 0 '^0 domains added$' ''
run group customer-x remove c.example d.example
check "remove" 0 '^1 domain removed$' ''
run group other add b.example
run group --format csv
is "groups" "$(cat "$dir/out")" "name,domain,reports,last_seen
customer-x,a.example,1,2026-10-01
other,b.example,1,2026-10-02"
run group other
check "one group" 0 '^other *b\.example *1 ' ''
is "... alone" "$(grep -c customer "$dir/out")" 0
run group half add a.example nowhere.example
run verdict --group half
check "verdict --group: of whom nothing is known" 1 '^nowhere\.example: no reports\.' ''
run group half remove a.example nowhere.example
run group nope
check "a group that is not there" 64 '' "there is no group 'nope'"
for report in summary senders sources failures reporters policy approvals; do
    is "$report --group" "$("$program" $report --group customer-x --format csv | sed 1d | cut -d, -f1 | uniq)" a.example
done
is "timeline --group" "$("$program" timeline --group other --format csv | sed 1d | cut -d, -f2,3)" "2026-10-02,12"
run senders --group customer-x b.example
check "a domain that is not in the group" 0 '^no reports for b\.example' 'b\.example is not in group customer-x'
run senders --group customer-y
check "a group mistyped" 64 '' "no group 'customer-y'.*|did you mean 'customer-x'"
run group 'a b' add a.example
check "no name of a group" 64 '' 'cannot be the name of a group'
run group customer-x ad a.example
check "no such verb" 64 '' 'add\|remove'
run group customer-x add
check "no domain to add" 64 '' 'add\|remove'
run group customer-x add 'a"b'
check "a domain that is none" 64 '' 'cannot be a domain'
finish
