#!/bin/bash
# explain: which record is meant, and how it is shown. What it says is in tests/sql/explain.sql.
. tests/lib/cli_database.sh explain

# report ID RECORD...: a record is "ADDRESS COUNT RESULT"
report() {
    cat <<XML
<feedback><report_metadata><org_name>R</org_name><email>dmarc@reporter.example</email><report_id>$1</report_id>
<date_range><begin>1790812800</begin><end>1790899199</end></date_range></report_metadata>
<policy_published><domain>a.example</domain><p>none</p></policy_published>
XML
    shift
    for record; do
        set -- $record
        echo "<record><row><source_ip>$1</source_ip><count>$2</count><policy_evaluated><disposition>none</disposition><dkim>$3</dkim><spf>fail</spf>
</policy_evaluated></row><identifiers><header_from>a.example</header_from></identifiers><auth_results><dkim><domain>a.example</domain>
<result>$3</result><human_result>$(printf 'bad\302\205')</human_result></dkim></auth_results></record>"
    done
    echo '</feedback>'
}
report one '192.0.2.1 5 pass' '192.0.2.2 7 fail' '192.0.2.1 1 fail' >"$dir/mail/one.xml"
report two '192.0.2.3 9 pass' >"$dir/mail/two.xml"
run ingest "$dir/mail"
check "both are read" 0 '^2 mails: 2 stored' ''
number=$(sql "SELECT id FROM dmarc.message WHERE source LIKE '%one.xml'")

run explain "$number"
check "the record with most messages" 0 '^ 1  record  *7 messages from 192\.0\.2\.2, From: a\.example$' ''
is "what follows from each" "$(sed -n 2p "$dir/out" | tr -s ' ')" " record 2 of report one by reporter.example, of 2026-10-01"
is "nothing moves the cursor" "$(grep -c 'bad.x85' "$dir/out") $(grep -c "$(printf '\302\205')" "$dir/out")" "1 0"
run explain "$number" 1
check "a record by its number" 0 '5 messages from 192\.0\.2\.1' ''
run explain two
check "by report_id" 0 '9 messages from 192\.0\.2\.3' ''
run explain A.example 192.0.2.1
check "by address: the kind of most messages" 0 '5 messages from 192\.0\.2\.1' ''
run explain two --format json
is "JSON" "$(python3 -c 'import json,sys; rows = json.load(sys.stdin); print(rows[0]["domain"], rows[0]["ordinal"], rows[0]["step"], rows[0]["what"], rows[-1]["so"])' <"$dir/out")" \
    "a.example 1 1 record authorised"
run explain two --format csv
is "CSV" "$(sed -n '1p;2s/record,.*/.../p' "$dir/out" | paste -sd' ')" "domain,day,report,ordinal,step,what,found,so a.example,2026-10-01,$(sql "SELECT id FROM dmarc.report WHERE report_id = 'two'"),1,1,..."
run explain "$number" 4
check "no such record" 66 '' "there is no record of '$number', '4'"
run explain nothing
check "no such mail" 66 '' "there is no record of 'nothing'"
run explain a.example 192.0.2.9
check "no such address" 66 '' "no record of 'a.example', '192.0.2.9'"
run explain 'a b' 192.0.2.1
check "no domain" 64 '' 'cannot be a domain'
finish
