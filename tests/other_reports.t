#!/bin/bash
# Failure reports and TLS reports, from the mail to the answer: stored once, accounted for, and nothing is kept of the message
# that failed but what the manual says.
cd "$(dirname "$0")/.." || exit 1
. tests/lib/postgres.sh

dir=$(mktemp -d)
trap 'pg_stop; rm -rf "$dir"' EXIT
unset WHOSENDS_DATABASE WHOSENDS_CONFIG
pg_start "$dir" || exit 1
n=0 failed=0

# is TITLE GOT WANTED
is()
{
    n=$((n + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $n - $1"
    else
        failed=1
        echo "not ok $n - $1"
        printf 'got:    %s\nwanted: %s\n' "$2" "$3" | sed 's/^/# /'
    fi
}

ask()
{
    psql -X -A -t -F ' ' -c "$1" 2>&1
}

run()
{
    build/whosends --config /dev/null --database "$PG_CONNINFO" "$@" 2>&1
}

# ingest MAIL: what the summary says of it.
ingest()
{
    run ingest "${@:2}" "$dir/$1" | head -n 1 | sed 's/^1 mail: //; s/, *0 [a-z ]*//g; s/^0 [a-z]*, //'
}

# What the ledger says of the last mail.
outcome()
{
    ask "SELECT outcome FROM dmarc_store.message ORDER BY id DESC LIMIT 1"
}

documents()
{
    ask "SELECT string_agg(concat_ws(' ', kind, outcome, code, domain), ', ' ORDER BY ordinal) FROM dmarc_store.document
         WHERE message = (SELECT max(id) FROM dmarc_store.message) AND kind <> 'text'"
}

# head FROM SUBJECT NUMBER
head_of()
{
    printf 'From: %s\nTo: dmarc@example.com\nSubject: %s\nDate: Mon, 12 Oct 2026 08:00:00 +0200\nMessage-ID: <%s@mail.example>\nMIME-Version: 1.0\n' "$@"
}

fields='Feedback-Type: auth-failure
User-Agent: Reporter/1.0
Version: 1
Original-Mail-From: <bounce@evil.example>
Original-Rcpt-To: victim@receiver.example
Arrival-Date: Mon, 12 Oct 2026 07:59:58 +0200
Source-IP: 192.0.2.7 (host.evil.example)
Reported-Domain: shop.example.com
Authentication-Results: mx.receiver.example; dkim=fail header.d=example.com; dmarc=fail header.from=shop.example.com
Auth-Failure: dmarc
Identity-Alignment: dkim, spf
Delivery-Result: reject'
sample='Received: from host.evil.example by mx.receiver.example
DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s2026; b=AAAA
From: "Your bank" <service@shop.example.com>
To: Victim <victim@receiver.example>
Subject: =?utf-8?q?Urgent=3A_pay_now?=
Message-ID: <phish-1@evil.example>
MIME-Version: 1.0'
report='<feedback><report_metadata><org_name>x</org_name><email>a@forged.example</email><report_id>1</report_id><date_range>
<begin>1791763200</begin><end>1791849599</end></date_range></report_metadata><policy_published><domain>example.com</domain><p>none</p>
</policy_published><record><row><source_ip>192.0.2.1</source_ip><count>1</count><policy_evaluated><disposition>none</disposition>
<dkim>pass</dkim><spf>pass</spf></policy_evaluated></row><identifiers><header_from>example.com</header_from></identifiers></record></feedback>'

# arf NUMBER SUBJECT: a report with the whole message, to which a forged aggregate report is attached.
arf()
{
    head_of "Reporter <dmarc@receiver.example>" "$2" "$1"
    printf 'Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\nA message failed.\n'
    printf -- '--b\nContent-Type: message/feedback-report\n\n%s\n' "$fields"
    printf -- '--b\nContent-Type: message/rfc822\n\n%s\nContent-Type: multipart/mixed; boundary=c\n\n' "$sample"
    printf -- '--c\n\nTOPSECRET body of the victim\n--c\nContent-Type: application/xml; name="TOPSECRET.xml"\n\n%s\n--c--\n--b--\n' "$report"
}

tls()
{
    printf '{"organization-name":"Big Mail","date-range":{"start-datetime":"2026-10-12T00:00:00","end-datetime":"2026-10-12T23:59:59Z"},'
    printf '"contact-info":"tls@bigmail.example","report-id":"%s","policies":[' "$1"
    printf '{"policy":{"policy-type":"sts","policy-domain":"example.com","mx-host":"mx: mx.example.com"},"summary":'
    printf '{"total-successful-session-count":90,"total-failure-session-count":%s},"failure-details":[{"result-type":' "$2"
    printf '"certificate-expired","sending-mta-ip":"192.0.2.9","receiving-mx-hostname":"mx.example.com","failed-session-count":%s}]}%s]}' "$2" "${3-}"
}

# tls_mail NUMBER TYPE ENCODED
tls_mail()
{
    head_of "tls@bigmail.example" "Report Domain: example.com" "$1"
    printf 'TLS-Report-Domain: example.com\nContent-Type: multipart/report; report-type="tlsrpt"; boundary=b\n\n--b\n\nsee below\n'
    printf -- '--b\nContent-Type: %s\nContent-Transfer-Encoding: base64\n\n%s\n--b--\n' "$2" "$3"
}

# Failure reports.
arf 1 'FW: Urgent: pay now' >"$dir/arf.eml"
is "a failure report" "$(ingest arf.eml)" "1 stored"
is "... and its document" "$(documents)" "failure stored shop.example.com"
is "... with what it says" "$(ask "SELECT arrived, reporter, source_ip, auth_failures, alignment_failed, delivery_result, header_from, mail_from, rcpt_domain,
    message_id, signature_domains, signature_selectors, subject IS NULL, day FROM dmarc_store.failure_report")" \
    "2026-10-12 05:59:58+00 receiver.example 192.0.2.7 {dmarc} dkim spf reject shop.example.com bounce@evil.example receiver.example phish-1@evil.example {example.com} {s2026} t 2026-10-12"
is "the subject is a hash of it" "$(ask "SELECT subject_hash FROM dmarc_store.failure_report" | tr -d -)" \
    "$(printf 'Urgent: pay now' | sha256sum | cut -c 1-32)"
is "the report in the message that failed is none" "$(ask "SELECT count(*) FROM dmarc_store.report")" 0
is "the same mail again" "$(ingest arf.eml)" "1 duplicate"
{ echo 'Received: by another.example'; arf 2 'FW: Urgent: pay now'; } >"$dir/again.eml"
is "the same report in another mail" "$(ingest again.eml) $(documents)" "1 duplicate failure duplicate shop.example.com"
{
    head_of "friend@friend.example" "Fwd" 3
    printf 'Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: message/rfc822\n\n'
    arf 4 'FW: Urgent: pay now'
    printf -- '--a--\n'
} >"$dir/forwarded.eml"
is "the same report, forwarded" "$(ingest forwarded.eml)" "1 duplicate"
sed 's/07:59:58/07:59:59/' "$dir/arf.eml" >"$dir/other.eml"
is "another one" "$(ingest other.eml)" "1 stored"

{
    head_of "dmarc@receiver.example" "Report" 5
    printf 'Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/rfc822-headers; name="Urgent: pay now.txt"\n\n%s\n' "${sample/phish-1/phish-2}"
    printf -- '--b\nContent-Type: message/feedback-report\nContent-Transfer-Encoding: base64\n\n'
    printf '%s\n' "$fields" | base64
    printf -- '--b--\n'
} >"$dir/base64.eml"
is "in base64, in another order, with the header alone" "$(ingest base64.eml) $(documents)" \
    "1 stored failure stored shop.example.com"
is "... which was read" "$(ask "SELECT count(*) FROM dmarc_store.failure_report WHERE message_id = 'phish-2@evil.example' AND from_text LIKE '%bank%'")" 1

{
    head_of "no-reply@host.example" "DMARC Forensic Report for example.com from IP 192.0.2.8" 6
    printf 'Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: text/plain; charset="us-ascii"\n\n'
    printf 'A message claiming to be from you has failed the published DMARC policy for your domain.\n\n  Sender Domain: example.com\n'
    printf '  Sender IP Address: 192.0.2.8\n  Received date: Mon, 12 Oct 2026 09:00:00 +0200\n  SPF Alignment: no\n  DKIM Alignment: no\n'
    printf '  DMARC Results: Reject, Reject\n\n------ This is a copy of the headers that were received before the error was detected.\n\n'
    printf '%s\n\n--b--\n' "${sample/phish-1/phish-3}"
} >"$dir/words.eml"
is "a report in words" "$(ingest words.eml) $(documents)" "1 stored failure stored example.com"
is "... with what it says" "$(ask "SELECT reporter, source_ip, auth_failures, alignment_failed, delivery_result, message_id, signature_selectors
    FROM dmarc_store.failure_report WHERE domain = 'example.com'")" "host.example 192.0.2.8 {dmarc} dkim spf reject phish-3@evil.example {s2026}"

sed 's/auth-failure/abuse/' "$dir/arf.eml" >"$dir/abuse.eml"
is "a complaint about spam is no report" "$(ingest abuse.eml) $(documents)" "1 without report feedback no_report feedback_type"
printf '%s\n' "$fields" >"$dir/bare"
is "the fields alone, in a file" "$(ingest bare) $(documents)" "1 stored failure stored shop.example.com"
printf '%s\n' "$fields" | grep -v Arrival >"$dir/dateless"
is "... without a date" "$(ingest dateless) $(documents)" "1 problem failure problem no_date"

# Nothing of the message but what is meant to be kept.
is "no subject in the ledger" "$(ask "SELECT count(*) FROM dmarc_store.message m WHERE m::text LIKE '%pay now%'")" 0
"$PG_BIN/pg_dump" -a "$PGDATABASE" >"$dir/dump" 2>"$dir/err"
is "the whole database was looked at" "$(grep -c 'COPY dmarc' "$dir/dump") $(cat "$dir/err")" "$(ask "SELECT count(*) FROM pg_class WHERE relnamespace IN ('dmarc'::regnamespace, 'dmarc_store'::regnamespace) AND relkind = 'r'") "
is "nothing of the body, no recipient, no subject" "$(grep -ciE 'topsecret|victim|pay now|urgent' "$dir/dump")" 0
pg_newdb kept || exit 1
is "keep_subject = kept" "$(ingest arf.eml --set whosends.keep_subject=kept) $(ask "SELECT subject FROM dmarc_store.failure_report") $(ask "SELECT subject FROM dmarc_store.message")" \
    "1 stored Urgent: pay now FW: Urgent: pay now"
is "... what comes again with another rule is the same" "$(ingest again.eml)" "1 duplicate"
pg_newdb dropped || exit 1
is "keep_subject = dropped" "$(ingest arf.eml --set whosends.keep_subject=dropped) $(ask "SELECT count(subject), count(subject_hash) FROM dmarc_store.failure_report") $(ask "SELECT count(subject) FROM dmarc_store.message")" \
    "1 stored 0 0 0"

# TLS reports.
pg_newdb tls || exit 1
tls id-1 10 >"$dir/a.json"
tls_mail 11 application/tlsrpt+gzip "$(gzip -c "$dir/a.json" | base64)" >"$dir/gzip.eml"
is "a TLS report" "$(ingest gzip.eml) $(documents)" "1 stored tls stored example.com"
is "... with what it says" "$(ask "SELECT r.reporter, r.report_id, r.day, r.warnings, p.policy_type, p.mx_hosts, p.successful, p.failed, f.result_type, f.sending_ip, f.mx_hostname, f.failed
    FROM dmarc_store.tls_report r JOIN dmarc_store.tls_policy p ON p.report = r.id JOIN dmarc_store.tls_failure f ON f.report = r.id AND f.policy = p.ordinal")" \
    "bigmail.example id-1 2026-10-12 {date_zone} sts {mx.example.com} 90 10 certificate-expired 192.0.2.9 mx.example.com 10"
tls_mail 12 application/tlsrpt+json "$(base64 "$dir/a.json")" >"$dir/plain.eml"
is "the same as plain JSON" "$(ingest plain.eml) $(documents)" "1 duplicate tls duplicate example.com"
is "the same as a file" "$(ingest a.json) $(documents)" "1 duplicate tls duplicate example.com"
tls id-1 11 >"$dir/b.json"
is "the same id with other figures" "$(ingest b.json)" "1 stored"
is "... is flagged" "$(ask "SELECT string_agg(id_collision::text, ' ' ORDER BY id) FROM dmarc_store.tls_report")" "false true"
tls id-2 0 ',{"policy":{"policy-type":"tlsa","policy-domain":"b.example"},"summary":{"total-successful-session-count":7,"total-failure-session-count":0}}' >"$dir/two.json"
is "two domains in one report" "$(ingest two.json) $(documents)" "1 stored tls stored example.com, tls stored b.example"
{
    head_of "tls@bigmail.example" "Two" 13
    printf 'Content-Type: multipart/mixed; boundary=b\n\n'
    for file in a b; do printf -- '--b\nContent-Type: application/octet-stream\n\n%s\n' "$(sed 's/id-1/id-3/' "$dir/$file.json")"; done
    printf -- '--b--\n'
} >"$dir/both.eml"
is "two reports in one mail that contradict each other" "$(ingest both.eml) $(ask "SELECT string_agg(id_collision::text, ' ' ORDER BY id) FROM dmarc_store.tls_report WHERE report_id = 'id-3'")" \
    "1 stored false true"
{ head_of "tls@bigmail.example" "Broken" 14; printf 'Content-Type: application/tlsrpt+json\n\n'; head -c 300 "$dir/a.json"; } >"$dir/broken.eml"
is "one that breaks off" "$(ingest broken.eml) $(documents)" "1 problem tls problem json"
{ head_of "a@b.example" "Other" 15; printf 'Content-Type: application/json\n\n{"a":1}\n'; } >"$dir/json.eml"
is "other JSON is no report" "$(ingest json.eml) $(documents)" "1 without report other no_report"
is "a lowered limit" "$(ingest gzip.eml --limit json_size=100)" "1 duplicate"
tls id-4 1 >"$dir/c.json"
is "... of a new one" "$(ingest c.json --limit json_size=100) $(ask "SELECT detail FROM dmarc_store.document WHERE code = 'limit'")" "1 problem limit json_size: more than 100 bytes"

# The answers.
is "tls" "$(run tls example.com --format csv | tail -n +2)" \
    'example.com,sts,1,5,450,42,0.085366,certificate-expired 42,2026-10-12,2026-10-12'
is "tls of all domains" "$(run tls --format csv | tail -n +2 | cut -d, -f 1,2,5)" $'b.example,tlsa,7\nexample.com,sts,450'
is "status" "$(run status --format json | grep -o '"[a-z]*_reports": [0-9]*' | tr '\n' ' ')" '"failure_reports": 0 "tls_reports": 6 '
is "every mail is one of four things" "$(ask "SELECT mails = stored + duplicate + no_report + problem, mails FROM dmarc.status()")" "t 10"
is "show knows a TLS report by its id" "$(run show id-2 | grep -c 'sts: 90 successful, 0 failed')" 1
pg_newdb answers || exit 1
for mail in arf other words; do ingest $mail.eml >>"$dir/out"; done
is "failures --samples" "$(run failures --samples --format csv | tail -n +2 | cut -d, -f 1-6,8-12 | sort)" \
'example.com,2026-10-12T07:00:00Z,host.example,192.0.2.8,shop.example.com,,dkim spf,reject,example.com,s2026,
shop.example.com,2026-10-12T05:59:58Z,receiver.example,192.0.2.7,shop.example.com,bounce@evil.example,dkim spf,reject,example.com,s2026,
shop.example.com,2026-10-12T05:59:59Z,receiver.example,192.0.2.7,shop.example.com,bounce@evil.example,dkim spf,reject,example.com,s2026,'
is "... of a domain, with what is below it" "$(run failures --samples example.com --format csv | wc -l)" 4
is "... of a subdomain" "$(run failures --samples shop.example.com --format csv | wc -l)" 3
is "... of a period" "$(run failures --samples --since 2026-10-13 example.com)" "no failure reports for example.com in this period"
is "failures has nothing of it" "$(run failures)" "no reports"
is "show shows it" "$(run show 1 | grep -cE '^ +(alignment_failed|delivery_result|subject_hash) ')" 3
is "--trusted is refused" "$(run failures --samples --trusted | head -n 1)" "whosends: error: cannot use --trusted with failures: it leaves nothing out"
# A file that the user names has no media type.
python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1], "w").writestr("r.json", b"\x8e not JSON")' "$dir/junk.zip"
is "what calls itself JSON in a file of no type is no report, without a word" "$(run ingest --no-confine "$dir/junk.zip" 2>&1 | grep -v 'from strangers')" \
    "1 mail: 0 stored, 0 duplicate, 1 without report, 0 problems"
echo "1..$n"
exit $failed
