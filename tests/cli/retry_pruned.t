#!/bin/bash
# Mails that are read again after some of their reports were pruned: these stay pruned, and the rest is read as usual.
. tests/lib/cli_database.sh retry_pruned

# report ID BEGIN [RECORDS]
report() {
    cat <<XML
<?xml version="1.0"?>
<feedback><report_metadata><org_name>Reporter</org_name><email>dmarc@reporter.example</email><report_id>$1</report_id>
<date_range><begin>$2</begin><end>$(($2 + 86399))</end></date_range></report_metadata>
<policy_published><domain>a.example</domain><p>none</p></policy_published>
XML
    for ((i = 1; i <= ${3:-1}; i++)); do
        echo "<record><row><source_ip>192.0.2.$i</source_ip><count>$i</count><policy_evaluated><disposition>none</disposition><dkim>pass</dkim>
<spf>fail</spf></policy_evaluated></row><identifiers><header_from>a.example</header_from></identifiers>
<auth_results><dkim><domain>a.example</domain><result>pass</result></dkim></auth_results></record>"
    done
    echo '</feedback>'
}
# tls ID DAY
tls() {
    printf '{"organization-name":"Reporter","date-range":{"start-datetime":"%sT00:00:00Z","end-datetime":"%sT23:59:59Z"},"contact-info":"x@reporter.example","report-id":"%s","policies":[{"policy":{"policy-type":"sts","policy-domain":"a.example"},"summary":{"total-successful-session-count":3,"total-failure-session-count":0}}]}' "$2" "$2" "$1"
}
# mail NAME: of the parts that come in, each a type, a blank and a file
mail() {
    {
        printf 'From: <dmarc@reporter.example>\nMessage-ID: <%s@x>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n' "$1"
        while read -r type file; do
            printf '\n--b\nContent-Type: %s\n\n' "$type"
            cat "$file"
        done
        printf '\n--b--\n'
    } >"$dir/mail/$1"
}
stored() {
    sql "SELECT r.report_id, r.record_count, r.incomplete FROM dmarc_store.report r ORDER BY 1" | paste -sd' '
    sql "SELECT t.report_id FROM dmarc_store.tls_report t UNION ALL SELECT 'failure' FROM dmarc_store.failure_report ORDER BY 1" | paste -sd' '
}
documents() {
    sql "SELECT d.ordinal, d.kind, d.outcome, d.domain, d.day, d.report FROM dmarc_store.document d WHERE d.day < '2026-10-01' ORDER BY d.message, d.ordinal"
}
sums() { sql "SELECT day, reports, records, messages FROM dmarc_store.domain_day ORDER BY 1" | paste -sd' '; }

june=1780444800 october=1790812800
report old $june 2 >"$dir/old"
report whole $october 6 >"$dir/whole"
report fine $((october + 86400)) >"$dir/fine"
tls old-tls 2026-06-03 >"$dir/old-tls"
tls new-tls 2026-10-03 >"$dir/new-tls"
printf 'text/xml %s\n' "$dir/old" "$dir/whole" "$dir/fine" | mail three
printf 'application/tlsrpt+json %s\n' "$dir/old-tls" "$dir/new-tls" | mail tls
printf 'Feedback-Type: auth-failure\nVersion: 1\nUser-Agent: x\nAuth-Failure: dmarc\nReported-Domain: a.example\nSource-IP: 192.0.2.9\nArrival-Date: Wed, 3 Jun 2026 10:00:00 +0000\n' >"$dir/failure"
echo "message/feedback-report $dir/failure" | mail failure
{ echo "text/xml $dir/old"; echo "application/tlsrpt+json $dir/old-tls"; } | mail copy
run ingest --limit records=5 "$dir/mail/three"
check "one of three reports is too long" 65 '1 problem' ''
run ingest "$dir/mail/tls"
run ingest "$dir/mail/copy"
run ingest "$dir/mail/failure"
# Neither is kept today: a version that did plays an older one.
for name in copy failure; do
    hash=$(sha256sum <"$dir/mail/$name" | cut -d' ' -f1)
    python3 -c 'import sys, zlib; sys.stdout.write(zlib.compress(open(sys.argv[1], "rb").read()).hex())' "$dir/mail/$name" >"$dir/packed"
    sql "UPDATE dmarc_store.message SET original = 'kept' WHERE sha256 = '\\x$hash';
         INSERT INTO dmarc_store.original (mail_sha256, size, data) VALUES ('\\x$hash', $(wc -c <"$dir/mail/$name"), '\\x$(cat "$dir/packed")')"
done
is "all is there" "$(stored)" "fine|1|f old|2|f
failure new-tls old-tls"
run prune --before 2026-10-01 --yes
is "the old ones are pruned" "$(stored)" "fine|1|f
new-tls"
documents >"$dir/rows"
is "and the ledger names them" "$(wc -l <"$dir/rows")" 5

run retry --all
check "retry: the rest of the mail is solved" 0 '^1 mail read again: 1 solved, 0 still problems$' ''
is "... what was pruned stays away" "$(stored)" "fine|1|f whole|6|f
new-tls"
documents | diff "$dir/rows" - >"$dir/diff" && ok "... and its documents are as they were" || not_ok "... and its documents are as they were" "$(cat "$dir/diff")"
is "... the sums are right" "$(sums)" "2026-10-01|1|6|21 2026-10-02|1|1|1"
is "... and no evidence came for nothing" "$(sql 'SELECT count(*) FROM dmarc_store.profile p WHERE NOT EXISTS (SELECT FROM dmarc_store.evidence e WHERE e.domain = p.domain AND e.profile = p.hash)')" 0
run reparse
check "reparse: all is as it was" 0 '^4 mails read again: 0 changed; reports: 8 as they were, 0 changed, 0 new; 0 mails left as they were$' ''
is "... also TLS reports and failure reports" "$(stored)" "fine|1|f whole|6|f
new-tls"
sql "UPDATE dmarc_store.report SET p = 'reject' WHERE report_id = 'fine'; UPDATE dmarc_store.tls_report SET content = md5('old')::uuid"
run reparse
check "reparse corrects what is there" 0 '^4 mails read again: 2 changed; reports: 6 as they were, 2 changed, 0 new; 0 mails left as they were$' ''
is "... of it alone" "$(stored) $(sql "SELECT p FROM dmarc_store.report WHERE report_id = 'fine'")" "fine|1|f whole|6|f
new-tls none"
documents | diff "$dir/rows" - >"$dir/diff" && ok "... and the documents of the others stay" || not_ok "... and the documents of the others stay" "$(cat "$dir/diff")"
# Another version had taken it for one of another day, or domain.
sql "UPDATE dmarc_store.document SET day = '2026-05-01', domain = 'b.example' WHERE day < '2026-10-01' AND kind = 'aggregate'"
documents >"$dir/rows"
run reparse
check "a pruned report that is read in another way now" 0 '^4 mails read again: 0 changed; reports: 8 as they were, 0 changed, 0 new; 0 mails left as they were$' ''
is "... stays away" "$(stored)" "fine|1|f whole|6|f
new-tls"
documents | diff "$dir/rows" - >"$dir/diff" && ok "... with its document" || not_ok "... with its document" "$(cat "$dir/diff")"
run fsck
is "it holds together" "$(awk '$1 ~ /^(report_has_document|document_has_report|sums.*|evidence.*|profile.*)$/ && $3 != 0' "$dir/out")" ""
finish
