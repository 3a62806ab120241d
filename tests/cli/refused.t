#!/bin/bash
# A database that refuses a report, from mail to answer: only that one is lost, and it is there to be read again. A constraint
# of the test plays the fault.
. tests/lib/cli_database.sh refused

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
# mail NAME ID...: with a report each
mail() {
    local name=$1 id
    shift
    { printf 'From: <dmarc@reporter.example>\nMessage-ID: <%s@x>\nSubject: Report %s\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n' "$name" "$name"
      for id; do printf '\n--b\nContent-Type: text/xml\n\n' && report "$id"; done
      printf '\n--b--\n'; } >"$dir/mail/$name"
}
ledger() {
    sql "SELECT substring(m.source from '[^/]*\$'), m.outcome, m.code, d.ordinal, d.path, d.outcome, d.code, r.report_id FROM dmarc_store.message m
         LEFT JOIN dmarc_store.document d ON d.message = m.id LEFT JOIN dmarc_store.report r ON r.id = d.report ORDER BY m.source, d.ordinal"
}
wrong() { psql -X -q -At -f tests/lib/sums.sql && psql -X -q -At -f tests/fault/invariants.sql; }

# The same mails without the fault, to compare with.
mail all one bad-1 three
mail only bad-2
mail good four
run --database "$PG_CONNINFO" init
run ingest "$dir/mail"
check "without the fault" 0 '^3 mails: 3 stored' ''
ledger >"$dir/right"
pg_newdb broken
export WHOSENDS_DATABASE=$PG_CONNINFO
run init
sql "ALTER TABLE dmarc_store.report ADD CONSTRAINT bad_ck CHECK (report_id NOT LIKE 'bad%')"

run ingest "$dir/mail"
check "two reports are refused" 65 '^3 mails: 2 stored, 0 duplicate, 0 without report, 1 problem$' ''
is "the others are stored" "$(sql 'SELECT report_id FROM dmarc_store.report ORDER BY 1' | paste -sd' ')" "four one three"
is "each that is not has a row" "$(sql "SELECT substring(source from '[^/]*\$'), path, code, detail FROM dmarc.problem ORDER BY 1" | sed 's/report_[0-9]*/report_X/')" \
    'all|part 2|db_refused|inserting reports: new row for relation "report_X" violates check constraint "bad_ck" (SQLSTATE 23514)
only|part 1|db_refused|inserting reports: new row for relation "report_X" violates check constraint "bad_ck" (SQLSTATE 23514)'
run summary --format csv
check "the figures are those of the rest" 0 '^a.example,15,' ''
is "all is right" "$(wrong)" ""
run show all@x
check "show" 0 'db_refused' ''

ledger >"$dir/before"
run retry --all
check "retry does not help" 65 '^2 mails read again: 0 solved, 2 still problems$' ''
is "and changes nothing" "$(ledger | diff "$dir/before" -)$(sql 'SELECT count(*) FROM dmarc.reading')" 0
run reparse
check "nor does reparse" 0 '0 changed' ''
is "and changes nothing" "$(ledger | diff "$dir/before" -)$(sql 'SELECT count(*) FROM dmarc.reading')$(wrong)" 0

sql "ALTER TABLE dmarc_store.report DROP CONSTRAINT bad_ck"
run retry --all
check "without the fault it does" 0 '^2 mails read again: 2 solved, 0 still problems$' ''
is "as if nothing had been" "$(ledger | diff "$dir/right" -)$(wrong)" ""

# What is stored does not give way to what would be refused.
sql "UPDATE dmarc_store.report SET p = 'reject' WHERE report_id IN ('one', 'three')"
sql "ALTER TABLE dmarc_store.report ADD CONSTRAINT bad_ck CHECK (report_id <> 'one') NOT VALID"
run reparse
check "reparse of a report that is refused now" 65 '^3 mails read again: 0 changed; .* 1 mail left as it was$' 'is left as it was'
is "it is still there, with all of its mail" "$(sql "SELECT report_id, p FROM dmarc_store.report ORDER BY 1" | paste -sd' ')$(wrong)" "bad-1|none bad-2|none four|none one|reject three|reject"
sql "ALTER TABLE dmarc_store.report DROP CONSTRAINT bad_ck"
run reparse
check "and is corrected when it is not" 0 '^3 mails read again: 1 changed' ''
is "with all of its mail" "$(ledger | diff "$dir/right" -)$(wrong)" ""

# Two at once, at the same mails.
rm "$dir"/mail/*
for ((i = 0; i < 150; i++)); do
    if ((i % 40 == 7)); then mail "m$i" "many-$i" "bad-$i" "more-$i"; else mail "m$i" "many-$i"; fi
done
pg_newdb both
export WHOSENDS_DATABASE=$PG_CONNINFO
run init
sql "ALTER TABLE dmarc_store.report ADD CONSTRAINT bad_ck CHECK (report_id NOT LIKE 'bad%')"
"$program" ingest -q "$dir/mail" >"$dir/first" 2>&1 & first=$!
"$program" ingest -q "$dir/mail" >"$dir/second" 2>&1 & second=$!
wait $first; a=$?
wait $second; b=$?
is "two at once" "$a $b $(sql 'SELECT count(*), count(DISTINCT report_id), sum(message_count) FROM dmarc_store.report')" "65 65 154|154|770"
is "all is right" "$(wrong)" ""
is "and each refused report has its row" "$(sql "SELECT count(DISTINCT source) FROM dmarc.problem WHERE code = 'db_refused'")" 4
finish
