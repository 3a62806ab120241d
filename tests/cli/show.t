#!/bin/bash
# Who brought a mail, from its header to the figures, and what "show" tells of it.
. tests/lib/cli_database.sh show

# report ID [DOMAIN [COUNT]]: of reporter.example
report() {
    cat <<XML
<?xml version="1.0"?>
<feedback><report_metadata><org_name>Reporter</org_name><email>dmarc@reporter.example</email><report_id>$1</report_id>
<date_range><begin>1790812800</begin><end>1790899199</end></date_range></report_metadata>
<policy_published><domain>${2:-a.example}</domain><p>NONE</p></policy_published>
<record><row><source_ip>192.0.2.1</source_ip><count>${3:-5}</count><policy_evaluated><disposition>none</disposition><dkim>pass</dkim>
<spf>fail</spf></policy_evaluated></row><identifiers><header_from>${2:-a.example}</header_from></identifiers>
<auth_results><dkim><domain>${2:-a.example}</domain><result>pass</result></dkim></auth_results></record>
XML
    test -n "${CUT:-}" || echo '</feedback>'
}
# mail NAME FROM FIELD...: reads the report; the fields stand on top, in this order
mail() {
    local name=$1 from=$2
    shift 2
    {
        for field; do echo "Authentication-Results: $field"; done
        printf 'Received: by mx.a.example\nFrom: <%s>\nMessage-ID: <%s@x>\nSubject: Report\nContent-Type: text/xml\n\n' "$from" "$name"
        cat
    } >"$dir/mail/$name"
}
ingest() { run --set whosends.trusted_authserv_id=mx.a.example --set whosends.domains=a.example ingest "$@"; }
messages() { "$program" senders "$@" --format csv | sed 1d | cut -d, -f4 | paste -sd' '; }

report honest | mail honest dmarc@reporter.example 'MX.A.example; dmarc=pass header.from=reporter.example'
report forged a.example 1000 | mail forged dmarc@evil.example 'mx.a.example;
	dmarc=pass (p=none) header.from=evil.example' 'mx.a.example; dmarc=pass header.from=reporter.example'
report spoofed a.example 1000 | mail spoofed dmarc@reporter.example 'mx.a.example; dmarc=fail header.from=reporter.example'
report elsewhere sub.a.example 7 | mail unknown dmarc@reporter.example 'mx.evil.example; dmarc=pass header.from=reporter.example'
report abroad b.example 9 | mail abroad dmarc@reporter.example 'mx.a.example; dmarc=pass header.from=reporter.example'
report bare a.example 3 >"$dir/mail/bare.xml"
ingest "$dir/mail"
check "mails of all kinds" 0 '^6 mails: 6 stored, ' ''
is "what is kept of each mail" "$(sql "SELECT substring(source from '[^/]*$'), auth_result, auth_domain FROM dmarc_store.message ORDER BY 1" | paste -sd' ')" \
    "abroad|pass|reporter.example bare.xml|| forged|pass|evil.example honest|pass|reporter.example spoofed|fail| unknown||"
is "and of each report" "$(sql "SELECT report_id, trusted, foreign_domain FROM dmarc_store.report ORDER BY 1" | paste -sd' ')" \
    "abroad|t|t bare||f elsewhere||f forged|f|f honest|t|f spoofed|f|f"
is "all of it" "$(messages)" "2008 9 7"
is "--trusted: without what is flagged, with what is not known" "$(messages --trusted)" "8 7"
run problems --untrusted --format csv
is "problems --untrusted" "$(sed 1d "$dir/out" | cut -d, -f1,2,4 | sort | paste -sd' ')" \
    "foreign_domain,b.example,abroad reporter_mismatch,a.example,forged reporter_mismatch,a.example,spoofed"

sql "UPDATE dmarc_store.message SET subject = E'\u00db31m' WHERE source LIKE '%honest'" >/dev/null
LC_ALL=C run show honest@x
is "show in a locale that is not UTF-8" "$(grep -c '^ *subject *.u{00DB}31m$' "$dir/out") $(LC_ALL=C grep -c '[^ -~]' "$dir/out")" "1 0"

report forged a.example 1000 | mail again dmarc@reporter.example 'mx.a.example; dkim=pass header.d=mail.reporter.example'
ingest "$dir/mail/again"
check "the same report, from its reporter" 0 '^1 mail: 0 stored, 1 duplicate' ''
is "it is trusted now" "$(sql "SELECT trusted FROM dmarc_store.report WHERE report_id = 'forged'")" t
run ingest "$dir/mail/spoofed"
report spoofed a.example 1000 | mail third dmarc@evil.example
run ingest "$dir/mail/third"
check "without the key" 0 '^1 mail: 0 stored, 1 duplicate' ''
is "nothing is known of anybody" "$(sql "SELECT count(*) FROM dmarc_store.message WHERE source LIKE '%third' AND auth_result IS NULL")" 1
run --set whosends.domains='a.example, (b)' ingest "$dir/mail"
check "what is no domain" 64 '' "cannot use '\(b\)' for whosends.domains"

CUT=1 report long a.example 2 | mail cut dmarc@reporter.example 'mx.a.example; dmarc=pass header.from=reporter.example'
{ CUT=1 report long a.example 2; report long a.example 4 | sed -n '/<record>/,$p'; } |
    mail whole dmarc@reporter.example 'mx.a.example; dmarc=pass header.from=reporter.example'
ingest "$dir/mail/cut" && before=$(messages a.example)
ingest "$dir/mail/whole"
check "the whole of what came cut off" 0 '^1 mail: 1 stored' ''
is "it counts in the place of the other" "$before $(messages a.example)" "2010 2014"

# --- show ---
number=$(sql "SELECT id FROM dmarc_store.message WHERE source LIKE '%/forged'")
run show "$number"
check "show, by number" 0 '^mail '"$number"'$' ''
for line in 'message_id  *forged@x' 'auth_domain  *evil.example' 'outcome  *stored' '  path  *part 1' '    report_id  *forged' \
    '    messages  *1000' '    p  *none' '    raw  *p=NONE' '      policy_val' '        note  *p "NONE"' '        meaning  *A value '; do
    grep -q "^  $line" "$dir/out" && ok "show: $line" || not_ok "show: $line" "$(cat "$dir/out")"
done
is "show: what is not so is not told" "$(grep -c 'incomplete\|id_collision\|reporter_mismatch' "$dir/out")" 0
run show "$(sql "SELECT left(encode(sha256, 'hex'), 12) FROM dmarc_store.message WHERE source LIKE '%/honest'")"
check "show, by the beginning of the hash" 0 '^  message_id  *honest@x' ''
run show "file:$dir/mail/honest"
check "show, by source" 0 '^  message_id  *honest@x' ''
run show '<honest@x>'
check "show, by Message-ID" 0 '^  message_id  *honest@x' ''
run show forged
is "show, by report_id: each mail that brought it" "$(grep -c '^mail ' "$dir/out") $(grep '^    outcome' "$dir/out" | tr -s ' ' | paste -sd' ')" \
    "2  outcome stored  outcome duplicate"
run show long
is "show: the one that was replaced, and the one that counts" "$(grep -c '^      replaced *yes' "$dir/out") $(grep -c '^      incomplete *yes' "$dir/out")" "1 1"
run show spoofed
check "show: a flag, and what it means" 0 '^        reporter_mismatch$' ''

printf 'Subject: \033[31mred\nMessage-ID: <bad@x>\nContent-Type: text/xml\n\n' | cat - <(printf '<feedback><!DOCTYPE x>\033]0;title\007</feedback>') >"$dir/mail/bad"
ingest "$dir/mail/bad"
run show 'bad@x'
check "show: a problem" 0 '^    code  *doctype$' ''
grep -q '^    meaning ' "$dir/out" && ok "show: the meaning" || not_ok "show: the meaning" "$(cat "$dir/out")"
is "show: nothing moves the cursor" "$(grep -c "$(printf '[\033\007]')" "$dir/out")" 0
cp "$dir/mail/honest" "$dir/mail/copy"
ingest "$dir/mail/copy"
run show "file:$dir/mail/copy"
check "show: a mail that was there points to the first" 0 '^  same_as  *[0-9]' ''

for ref in forged long 'bad@x' "file:$dir/mail/copy"; do
    run show "$ref" --format json
    is "show as JSON: $ref" "$(python3 -c '
import json, sys
mails = json.load(sys.stdin)
print(all(isinstance(m["documents"], list) for m in mails), len(mails))' <"$dir/out")" "True $(sql "SELECT count(*) FROM dmarc.find_mail('$ref')")"
done
run show spoofed --format json
is "show as JSON: figures and warnings" "$(python3 -c '
import json, sys
report = json.load(sys.stdin)[0]["documents"][0]["report"]
print(report["messages"], report["trusted"], report["raw"], [w["code"] for w in report["warnings"]])' <"$dir/out")" \
    "1000 False ['p=NONE'] ['policy_val', 'reporter_mismatch']"

run show nothing
check "show: no such mail" 66 '' "no mail in the ledger is meant by 'nothing'"
run show "$(printf 'a\033b')"
check "show: what was asked for is escaped" 66 '' "'a.x1bb'"
"$program" show forged >/dev/full 2>"$dir/err"
status=$?
: >"$dir/out"
check "show: an output that is full" 74 '' 'could not write the mail'
# Else the connection to the database takes the place of standard output, and a stranger's mail is told to it.
"$program" show forged >&- 2>"$dir/err"
status=$?
: >"$dir/out"
check "show: an output that is closed" 74 '' 'could not write the mail'
finish
