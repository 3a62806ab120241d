#!/bin/bash
# What confined workers read is what this process reads itself: the same ledger, reports, records and verdicts, but for numbers
# and times. Mails of every kind that the tests know, some of them twice, and odd words where forgers choose them.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib/postgres.sh
. tests/lib/whole.sh

dir=$(mktemp -d)
trap 'pg_stop; rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir "$dir/pg" "$dir/all" "$dir/deviations" "$dir/limits"
pg_start "$dir/pg" || exit 1

bench/generate.py --reports 300 --duplicates 0.1 --domains 5 --seed 7 --out "$dir/made" --truth "$dir/truth" || exit 1
tests/lib/deviation_mails.py "$dir/deviations" >/dev/null && tests/lib/limit_mails.py "$dir/limits" >/dev/null || exit 1
{
    printf '%s\n' 'From: tls@reporter.example' 'Subject: TLS report' 'Content-Type: application/tlsrpt+json' ''
    echo '{"organization-name":"Reporter","date-range":{"start-datetime":"2026-10-01T00:00:00Z","end-datetime":"2026-10-01T23:59:59Z"},
"contact-info":"t@reporter.example","report-id":"tls-failing","policies":[{"policy":{"policy-type":"sts","policy-domain":"tls.example"},
"summary":{"total-successful-session-count":1,"total-failure-session-count":5},"failure-details":[{"result-type":"certificate-expired",
"sending-mta-ip":"192.0.2.1","receiving-ip":"2001:db8::1","receiving-mx-hostname":"mx.tls.example","failed-session-count":5}]}]}'
} >"$dir/made/tls.eml"
# Whoever forges a mail chooses each of these, and shall not lose its report by that.
mkdir "$dir/odd"
python3 - "$dir/odd" <<'END'
import sys
from xml.sax.saxutils import escape
FIELDS = ("dkim_domain", "selector", "human_result", "spf_domain", "scope", "header_from", "envelope_from", "envelope_to", "type", "comment")
WORDS = ("a@b", "@", "A@B.Example", "a b", "a,b", ".", "..", "-", "'", '"', "\\", "{}", "{a,b}", "NULL", "%", "$1", ";", "ü.example", "Ü", "İ", "\u202e",
         "a\tb", "x" * 300, "x." * 200, "[192.0.2.1]", "<b@c.example>", "=cmd", "()", "`")
for i, field in enumerate(FIELDS):
    for j, word in enumerate(WORDS):
        t = {"dkim_domain": "odd.example", "selector": "s", "human_result": "h", "spf_domain": "odd.example", "scope": "mfrom", "header_from": "odd.example",
             "envelope_from": "odd.example", "envelope_to": "other.example", "type": "other", "comment": "c"}
        t[field] = word
        t = {key: escape(value) for key, value in t.items()}
        with open(f"{sys.argv[1]}/{i}-{j}.xml", "w", encoding="utf-8") as file:
            file.write(f"<feedback><report_metadata><org_name>r</org_name><email>d@r.example</email><report_id>{i}-{j}</report_id><date_range><begin>1790812800"
                "</begin><end>1790899199</end></date_range></report_metadata><policy_published><domain>odd.example</domain><p>none</p></policy_published>"
                "<record><row><source_ip>192.0.2.1</source_ip><count>1</count><policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>pass</spf>"
                f"<reason><type>{t['type']}</type><comment>{t['comment']}</comment></reason></policy_evaluated></row><identifiers>"
                f"<header_from>{t['header_from']}</header_from><envelope_from>{t['envelope_from']}</envelope_from><envelope_to>{t['envelope_to']}</envelope_to>"
                f"</identifiers><auth_results><dkim><domain>{t['dkim_domain']}</domain><selector>{t['selector']}</selector><result>pass</result><human_result>"
                f"{t['human_result']}</human_result></dkim><spf><domain>{t['spf_domain']}</domain><scope>{t['scope']}</scope><result>pass</result></spf>"
                "</auth_results></record></feedback>")
END
gather()
{
    find docs/demo/mailbox "$dir/made" "$dir/deviations" "$dir/limits" "$dir/odd" -type f | LC_ALL=C sort | while read -r file; do
        serial=$((${serial:-0} + 1))
        cp "$file" "$dir/all/$(printf '%05d' $serial).eml"
    done
}
gather

# dump TABLES KEYS...: rows without what is different each time, in an order of their own
tables="message document original report observation evidence failure_report tls_report tls_policy tls_failure"
dump()
{
    local table
    for table in $tables; do
        psql -X -A -t -c "SELECT '$table', row FROM (SELECT (to_jsonb(t) - '{id,message,report,reread_at,ingested_at,kept_at}'::text[])::text AS row
            FROM dmarc_store.$table t) x ORDER BY row COLLATE \"C\"" || echo "$table cannot be read: $RANDOM"
    done
}

# read_all DATABASE OPTION...: all mails into a database of their own
read_all()
{
    pg_newdb "$1" || exit 1
    build/whosends --database "$PG_CONNINFO" --set limits.report_seconds=120 ingest --quiet "${@:2}" "$dir/all" >"$dir/$1.out" 2>&1
    echo "$?" >"$dir/$1.status"
    dump >"$dir/$1"
}

read_all open --no-confine
read_all one --workers 1
[ "$(cat "$dir/open.status")" = 65 ] && [ "$(cat "$dir/one.status")" = 65 ]
ok $? "both end with 65, since there are problems" "$dir/open.out" "$dir/one.out"
for table in $tables; do
    grep -c "^$table|" "$dir/open" >"$dir/count"
    diff <(grep "^$table|" "$dir/open") <(grep "^$table|" "$dir/one") >"$dir/diff" && [ "$(cat "$dir/count")" -gt 0 ]
    ok $? "one worker: $table has the same $(cat "$dir/count") rows" "$dir/diff"
done

# More of them at once answer in another order: which one of two equal reports is the duplicate is not told before.
read_all many --workers 4
for table in evidence tls_report failure_report; do
    diff <(grep "^$table|" "$dir/open") <(grep "^$table|" "$dir/many") >"$dir/diff"
    ok $? "four workers: $table is the same" "$dir/diff"
done
for database in open many; do
    psql -X -A -t -d $database -c "SELECT outcome, code, count(*) FROM dmarc_store.message GROUP BY 1, 2 ORDER BY 1, 2" \
        -c "SELECT outcome, code, count(*) FROM dmarc_store.document GROUP BY 1, 2 ORDER BY 1, 2" \
        -c "SELECT domain, day, count(*), sum(message_count) FROM dmarc_store.observation GROUP BY 1, 2 ORDER BY 1, 2" >"$dir/$database.sums"
done
diff "$dir/open.sums" "$dir/many.sums" >"$dir/diff" && [ -s "$dir/open.sums" ]
ok $? "four workers: outcomes, reasons and sums are the same" "$dir/diff"
echo "1..$n"
exit $failed
