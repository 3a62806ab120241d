#!/bin/bash
# Problems that a later version solves, and reports that it understands in another way: retry and reparse. A lower limit plays
# the earlier version, or rows that are changed by hand.
. tests/lib/cli_database.sh retry

# report ID [COUNT]
report() {
    cat <<XML
<?xml version="1.0"?>
<feedback><report_metadata><org_name>Reporter</org_name><email>dmarc@reporter.example</email><report_id>$1</report_id>
<date_range><begin>1790812800</begin><end>1790899199</end></date_range></report_metadata>
<policy_published><domain>a.example</domain><p>none</p></policy_published>
<record><row><source_ip>192.0.2.1</source_ip><count>${2:-5}</count><policy_evaluated><disposition>none</disposition><dkim>pass</dkim>
<spf>fail</spf></policy_evaluated></row><identifiers><header_from>a.example</header_from></identifiers>
<auth_results><dkim><domain>a.example</domain><result>pass</result></dkim></auth_results></record></feedback>
XML
}
# mail NAME: of the report that comes in
mail() {
    { printf 'From: <dmarc@reporter.example>\nMessage-ID: <%s@x>\nSubject: Report %s\nContent-Type: text/xml\n\n' "$1" "$1" && cat; } >"$dir/mail/$1"
}
# All that is said of the reports, and of the mails, without the numbers that change.
stored() {
    sql "SELECT to_jsonb(r) - 'id' - 'identity' FROM dmarc_store.report r ORDER BY r.report_id, r.content"
    sql "SELECT r.report_id, to_jsonb(c) - 'report' FROM dmarc.record c JOIN dmarc_store.report r ON r.id = c.report ORDER BY 1, 2::text"
    sql "SELECT to_jsonb(t) - 'id' FROM dmarc_store.tls_report t"
}
ledger() {
    sql "SELECT m.source, m.outcome, m.code, d.ordinal, d.path, d.outcome, d.code, r.report_id FROM dmarc_store.message m
         LEFT JOIN dmarc_store.document d ON d.message = m.id LEFT JOIN dmarc_store.report r ON r.id = d.report ORDER BY m.id, d.ordinal"
}
outcomes() { sql "SELECT substring(source from '[^/]*$'), outcome FROM dmarc_store.message ORDER BY id" | paste -sd' '; }
totals() { sql "SELECT mails, stored + duplicate + no_report + problem FROM dmarc.status()"; }
pointed() { sql "SELECT count(*) FROM dmarc_store.document d WHERE d.report IS NOT NULL AND NOT EXISTS (SELECT FROM dmarc_store.report r
                 WHERE r.id = d.report AND r.domain = d.domain AND r.day = d.day)
                 AND NOT EXISTS (SELECT FROM dmarc_store.tls_report t WHERE t.id = d.report)"; }

report one | mail one
report one | sed 's/^/ /' | mail copy
{ report two; } | mail two
report three 7 >"$dir/mail/bare.xml"
echo '<feedback><!DOCTYPE x>' | mail never
run ingest --limit xml_depth=2 "$dir/mail"
check "an earlier version" 65 '^5 mails: 0 stored, .* 5 problems' ''
is "all are problems" "$(sql "SELECT count(*), count(DISTINCT message) FROM dmarc.problem")" "5|5"
run problems
check "problems: how many are alike, and the number of one" 0 '^limit +document +4 .* [0-9]+ ' ''
run problems limit --format csv
is "problems CODE: one by one" "$(sed 1d "$dir/out" | cut -d, -f1,2,10 | paste -sd' ')" \
    "limit,document,kept limit,document,kept limit,document,kept limit,document,kept"
run problems --list --format json
check "problems --list" 0 '"code": "truncated", "what": "document", "message": [0-9]+' ''
run problems a.example
check "problems of what is no code" 64 '' "'a.example' is no code of a problem"
run retry
check "retry wants to know what" 64 '' 'one of REF, --code CODE and --all'
run retry --all two@x
check "retry of two things" 64 '' 'one of REF, --code CODE and --all'
run retry --code nosuch
check "retry of a code that is none" 64 '' "'nosuch' is no code of a problem"
run retry nothing
check "retry of no mail" 66 '' "no mail with a problem is meant by 'nothing'"

run retry --limit xml_depth=2 two@x
check "retry, and nothing is better" 65 '^1 mail read again: 0 solved, 1 still a problem$' ''
is "nothing is written" "$(sql "SELECT (SELECT count(*) FROM dmarc_store.reading), (SELECT count(*) FROM dmarc_store.message WHERE reread_at IS NOT NULL)")" "0|0"
run retry two@x
check "retry of one mail" 0 '^1 mail read again: 1 solved, 0 still problems$' ''
is "it is stored, once" "$(sql "SELECT count(*), sum(message_count) FROM dmarc_store.report") $(sql "SELECT sum(message_count) FROM dmarc.record")" "1|5 5"
run show two@x
check "show: what it was" 0 '^    problems  *limit: ' ''
check "show: what it is" 0 '^  outcome  *stored$' ''
run show two@x --format json
is "show as JSON: what it was" "$(python3 -c '
import json, sys
mail = json.load(sys.stdin)[0]
print(mail["outcome"], [(r["command"], r["outcome"]) for r in mail["readings"]], len(mail["documents"]))' <"$dir/out")" \
    "stored [('retry', 'problem')] 1"
run retry two@x
check "it is no problem any more" 66 '' 'no mail with a problem'

# Two at once, and one that dies in between.
"$program" retry --code limit -q >"$dir/first" 2>&1 & first=$!
"$program" retry --code limit -q >"$dir/second" 2>&1 & second=$!
wait $first; a=$?
wait $second; b=$?
is "two at once" "$a $b $(cat "$dir/first" "$dir/second")" "0 0 "
is "each is stored once" "$(outcomes)" "bare.xml|stored copy|duplicate never|problem one|stored two|stored"
is "and its report" "$(sql "SELECT report_id, count(*), sum(c.message_count) FROM dmarc.record c JOIN dmarc_store.report r ON r.id = c.report GROUP BY 1 ORDER BY 1" | paste -sd' ')" \
    "one|1|5 three|1|7 two|1|5"
is "totals reconcile" "$(totals)" "5|5"
run retry --all
check "what no version reads" 65 '^1 mail read again: 0 solved, 1 still a problem$' ''
sql "DELETE FROM dmarc_store.original WHERE mail_sha256 = (SELECT sha256 FROM dmarc_store.message WHERE source LIKE '%/never')"
run retry --all
check "what is not kept" 65 '^1 mail cannot be read again: the originals are not kept' ''

# --- reparse ---
printf 'Content-Type: application/tlsrpt+json\n\n{"organization-name":"Reporter","date-range":{"start-datetime":"2026-10-01T00:00:00Z","end-datetime":"2026-10-01T23:59:59Z"},"contact-info":"x@reporter.example","report-id":"tls","policies":[{"policy":{"policy-type":"sts","policy-domain":"a.example"},"summary":{"total-successful-session-count":3,"total-failure-session-count":0}}]}' >"$dir/mail/tls"
run ingest "$dir/mail/tls"
stored >"$dir/right"
ledger >"$dir/rows"
run reparse
check "reparse: nothing is different" 0 '^5 mails read again: 0 changed; reports: 5 as they were, 0 changed, 0 new; 0 mails left as they were$' ''
stored | cmp - "$dir/right" && ledger | cmp - "$dir/rows" && ok "nothing was touched" || not_ok "nothing was touched"

# older TITLE CHANGED SQL: an older version had stored this
older() {
    sql "$3"
    stored | cmp -s - "$dir/right" && not_ok "$1: it was different" || ok "$1: it was different"
    run reparse
    check "$1: reparse" 0 "^[0-9] mails read again: $2 changed; reports: . as they were, 1 changed, 0 new; 0 mails left" ''
    stored | diff "$dir/right" - >"$dir/diff" && ok "$1: it is right now" || not_ok "$1: it is right now" "$(cat "$dir/diff")"
    ledger | diff "$dir/rows" - >"$dir/diff" && ok "$1: the ledger" || not_ok "$1: the ledger" "$(cat "$dir/diff")"
    is "$1: nothing hangs in the air" "$(pointed) $(totals)" "0 6|6"
}
older "another policy" 1 "UPDATE dmarc_store.report SET p = 'reject' WHERE report_id = 'one'"
older "a warning more" 1 "UPDATE dmarc_store.report SET warnings = '{no_p}' WHERE report_id = 'two'"
older "a record less" 1 "DELETE FROM dmarc_store.observed WHERE report = (SELECT id FROM dmarc_store.report WHERE report_id = 'three')"
older "another content" 1 "UPDATE dmarc_store.report SET content = md5('old')::uuid, org_name = 'Old' WHERE report_id = 'one'"
older "another identity" 1 "UPDATE dmarc_store.report SET identity = md5('old')::uuid, content = md5('old')::uuid, report_id = 'older' WHERE report_id = 'three'"
older "another TLS report" 1 "UPDATE dmarc_store.tls_report SET content = md5('old')::uuid, organization = 'Old'"
sql "UPDATE dmarc_store.report SET p = 'reject' WHERE report_id = 'one'"
stored >"$dir/wrong"
run reparse --dry-run
check "a dry run lists" 0 '^mail [0-9]+: stored; reports: 0 as they were, 1 changed, 0 new$|^5 mails read again: 1 would change;' ''
stored | cmp -s - "$dir/wrong" && ok "and changes nothing" || not_ok "and changes nothing"
sql "UPDATE dmarc_store.report SET p = 'reject', content = md5('old')::uuid; UPDATE dmarc_store.evidence SET dkim_aligned = false"
run reparse --domain a.example --since 2026-10-01
check "all of them" 0 '3 changed; reports: 2 as they were, 3 changed, 0 new' ''
stored | diff "$dir/right" - >"$dir/diff" && ok "evidence, too" || not_ok "evidence, too" "$(cat "$dir/diff")"
run reparse
check "and once is enough" 0 '^5 mails read again: 0 changed' ''
run reparse --domain b.example
check "another domain" 0 '^0 mails read again' ''
run reparse --since 2026-10-02
check "another day" 0 '^0 mails read again' ''

run reparse --limit xml_depth=2
check "a version that reads less takes nothing away" 65 '4 mails left as they were$' 'mail [0-9]+ is left as it was'
stored | diff "$dir/right" - >"$dir/diff" && ok "all is as it was" || not_ok "all is as it was" "$(cat "$dir/diff")"

sql "UPDATE dmarc_store.report SET trusted = true, ingested_at = '2026-10-05Z', content = md5('old')::uuid WHERE report_id = 'two'"
run reparse
is "trust and the day it came stay" "$(sql "SELECT trusted, ingested_at, reporter FROM dmarc_store.report WHERE report_id = 'two'")" \
    "t|2026-10-05 00:00:00+00|reporter.example"
# The mail that came second knows it otherwise, and the first one is kept: the second is its copy.
sql "UPDATE dmarc_store.report SET content = md5('x')::uuid, trusted = NULL WHERE report_id = 'one'"
run reparse -q
is "a copy doubles nothing" "$(sql "SELECT count(*) FROM dmarc_store.report WHERE report_id = 'one'") $(outcomes)" \
    "1 bare.xml|stored copy|duplicate never|problem one|stored two|stored tls|stored"

# A report that a better copy took the place of, and both mails are kept.
report whole >"$dir/whole"
{ sed '/^<record>/,$d' "$dir/whole"; sed -n '/^<record>/,/<.record>/p' "$dir/whole" | sed 's/<.feedback>//'; sed -n '/^<record>/p' "$dir/whole"; } >"$dir/mail/cut.xml"
{ sed '/^<record>/,$d' "$dir/whole"; sed -n '/^<record>/,/<.record>/p' "$dir/whole" | sed 's/<.feedback>//'; sed -n '/^<record>/,$p' "$dir/whole"; } >"$dir/mail/full.xml"
run ingest "$dir/mail/cut.xml"
run ingest "$dir/mail/full.xml"
is "a cut report is replaced" "$(sql "SELECT string_agg(concat_ws(' ', incomplete, replaced), ', ' ORDER BY id) FROM dmarc_store.report WHERE report_id = 'whole'")" "t t, f f"
ledger >"$dir/rows"
run reparse
ledger | diff "$dir/rows" - >"$dir/diff" && ok "... and stays what its mail brought" || not_ok "... and stays what its mail brought" "$(cat "$dir/diff")"
run fsck
is "... which holds together" "$(awk '$1 ~ /^(report_has_document|document_has_report)$/ && $3 != 0' "$dir/out")" ""
run reparse
is "... also the next time" "$(grep -c 'left as it was' "$dir/err")" 0

# What turns out to hold mail of others is not kept.
printf 'Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\nUser-Agent: x\n' >"$dir/private"
sql "UPDATE dmarc_store.message SET original = 'kept' WHERE source LIKE '%/never'"
hash=$(sha256sum <"$dir/private" | cut -d' ' -f1)
python3 -c 'import sys, zlib; sys.stdout.write(zlib.compress(open(sys.argv[1], "rb").read()).hex())' "$dir/private" >"$dir/packed"
sql "INSERT INTO dmarc_store.message (sha256, source, identity, size, outcome, code, original) VALUES ('\\x$hash', 'file:/private', false, 1, 'problem', 'mime', 'kept');
     INSERT INTO dmarc_store.original (mail_sha256, size, data) VALUES ('\\x$hash', 1, '\\x$(cat "$dir/packed")')"
run retry file:/private
is "a mail that turns out to be private is forgotten" "$(sql "SELECT outcome, original, (SELECT count(*) FROM dmarc_store.original o WHERE o.mail_sha256 = sha256) FROM dmarc_store.message WHERE source = 'file:/private'")" \
    "no_report|private|0"
finish
