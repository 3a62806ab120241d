#!/bin/bash
# Whose addresses are: names that point back, names that only claim to, networks; what is kept, and for how long.
. tests/lib/cli_database.sh names
cleanup()
{
    test -z "${server:-}" || kill "$server"
    pg_stop
}

# report IP...: one report about a.example of yesterday, a message from each address, without anything that passes; with KEY, all are
# signed with this key of a.example
report()
{
    local begin signed= dkim=fail
    test -z "${KEY:-}" || dkim=pass signed="<dkim><domain>a.example</domain><selector>$KEY</selector><result>pass</result></dkim>"
    begin=$(($(date -u +%s) / 86400 * 86400 - 86400))
    printf '%s\n' '<feedback><report_metadata><org_name>mx.example.net</org_name><email>r@mx.example.net</email>' \
        "<report_id>$RANDOM$RANDOM</report_id><date_range><begin>$begin</begin><end>$((begin + 86399))</end></date_range></report_metadata>" \
        '<policy_published><domain>a.example</domain><p>none</p></policy_published>'
    for ip; do
        printf '%s\n' "<record><row><source_ip>$ip</source_ip><count>1</count><policy_evaluated><disposition>none</disposition>" \
            "<dkim>$dkim</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>a.example</header_from></identifiers>" \
            "<auth_results>$signed" '<spf><domain>a.example</domain><result>fail</result></spf></auth_results></record>'
    done
    echo '</feedback>'
}
# dns ZONE-LINE...: a server that knows these
dns()
{
    test -z "${server:-}" || { kill "$server"; wait "$server" 2>/dev/null; }
    rm -rf "$dir/dns" && mkdir "$dir/dns"
    printf '%s\n' "$@" >"$dir/zone"
    tests/lib/dns_server.py "$dir/zone" "$dir/dns" &
    server=$!
    for _ in $(seq 250); do test -s "$dir/dns/port" && break; sleep 0.02; done
    export WHOSENDS_DNS_SERVERS="127.0.0.1@$(cat "$dir/dns/port")"
}
row() { sql "SELECT name_status, name FROM dmarc.address WHERE source_ip = '$1'"; }

run init
check "init" 0 'version' ''
run names --no-dns
check "nobody to ask" 78 '' '.*there is nobody to ask'
report 20.0.0.1 20.0.0.2 20.0.0.3 20.0.0.4 10.0.0.9 >"$dir/mail/1.xml"
run ingest --quiet "$dir/mail/1.xml"
check "a report" 0 '' ''

dns '1.0.0.20.in-addr.arpa PTR 7200 o1.ptr.sendgrid.net' 'o1.ptr.sendgrid.net A 7200 20.0.0.1' \
    '2.0.0.20.in-addr.arpa PTR 7200 mail.google.com' 'mail.google.com A 7200 20.99.0.1' \
    '3.0.0.20.in-addr.arpa PTR 7200 host.stranger.example' 'host.stranger.example A 7200 20.0.0.3'
run names
check "names" 0 '^5 addresses asked about: 2 with a confirmed name, 1 with one that is not, 2 without, 0 without an answer$' ''
is "one that points back" "$(row 20.0.0.1)" "confirmed|o1.ptr.sendgrid.net"
is "one that claims to be google" "$(row 20.0.0.2)" "unconfirmed|"
is "one without" "$(row 20.0.0.4)" "none|"
is "one that is not public" "$(row 10.0.0.9)" "none|"
run sources a.example --format csv
is "a confirmed name that the catalogue knows gives the name, and never the class" \
    "$(sql "SELECT sender, class, confidence, evidence, reverse_name FROM dmarc.sources('a.example') WHERE source_ip = '20.0.0.1'")" \
    "Twilio SendGrid|unknown|low|nothing passed; reverse name o1.ptr.sendgrid.net, confirmed|o1.ptr.sendgrid.net"
is "one that is not confirmed is told to nobody" \
    "$(sql "SELECT sender, class, confidence, evidence, reverse_name FROM dmarc.sources('a.example') WHERE source_ip = '20.0.0.2'")" \
    "nothing authenticates|unknown|none|nothing passed|"
is "a stranger's name is shown beside" \
    "$(sql "SELECT sender, reverse_name FROM dmarc.sources('a.example') WHERE source_ip = '20.0.0.3'")" "nothing authenticates|host.stranger.example"

steps() { run explain a.example "$1" --format json; python3 -c 'import json, sys; print([row["found"].split(", which")[0] + " => " + row["so"] for row in json.load(sys.stdin) if row["what"] == "address"])' <"$dir/out"; }
is "explain tells it, and that it decides nothing" "$(steps 20.0.0.1)" \
    "['reverse name o1.ptr.sendgrid.net, confirmed => of Twilio SendGrid by the catalogue; no reason for class or verdict']"
is "... of one that is not confirmed, no name" "$(steps 20.0.0.2)" \
    "['a reverse name that does not point back, so that it counts for nothing => no reason for class or verdict']"

run sources a.example
is "the table of sources has the names" "$(sed -n 's/.* \([a-z.0-9]*\.[a-z]*\)$/\1/p' "$dir/out" | sort | paste -sd' ')" "host.stranger.example o1.ptr.sendgrid.net"

senders() { sql "SELECT sender, class, confidence, evidence, sources, hosts FROM dmarc.senders('a.example')$1"; }
is "senders tells whose machines they are" "$(senders '')" \
    'nothing authenticates|unknown|low|nothing passed; 1 of 5 addresses has a confirmed reverse name of Twilio SendGrid|5|{"Twilio SendGrid=1"}'
run senders a.example
is "... in a column of the table" "$(grep -o '  hosts  \|  Twilio SendGrid=1  ' "$dir/out" | tr -s ' \n' ' ')" " hosts Twilio SendGrid=1 "

run names
check "nothing is asked twice" 0 '^0 addresses asked about' ''
sql "UPDATE dmarc_store.address SET name_expires = now() - interval '1 minute' WHERE source_ip IN ('20.0.0.1', '20.0.0.2')"
dns '1.0.0.20.in-addr.arpa SERVFAIL 0 x'
run names
check "what has expired is asked again" 0 '^2 addresses asked about: 0 with a confirmed name, 0 ' ''
is "no answer leaves what was known" "$(row 20.0.0.1)" "confirmed|o1.ptr.sendgrid.net"
sql "UPDATE dmarc_store.address SET name_expires = now() - interval '1 minute'"
run names --limit 1 --quiet
check "at most so many, and quiet" 0 '' ''
run --set whosends.dns=no names
check "no means no" 78 '' 'there is nobody to ask'
run names --limit x
check "a limit that is none" 64 '' '--limit'

python3 -c 'import sys; sys.path.insert(0, "tests/lib"); import mmdb_write
mmdb_write.write(sys.argv[1], {"20.0.0.0/24": {"country_code": "NL", "autonomous_system_number": 64500, "autonomous_system_organization": "Example \u202eNet"}})' "$dir/net.mmdb"
run --set whosends.mmdb="$dir/net.mmdb" names --no-dns
check "networks" 0 '^5 addresses looked up in mmdb files$' ''
is "they stand with the sources" "$(sql "SELECT network, country, as_number FROM dmarc.sources('a.example') WHERE source_ip = '20.0.0.2'")" "20.0.0.0/24|NL|64500"
run explain a.example 20.0.0.2
is "explain has them, without a sign that turns the line" "$(sed -n 's/.*; \(network .*\)/\1/p' "$dir/out")" "network 20.0.0.0/24, country NL, AS64500 Example \\u{202E}Net"
is "and leave names alone" "$(row 20.0.0.1)" "confirmed|o1.ptr.sendgrid.net"
run --set whosends.mmdb="$dir/net.mmdb" names --no-dns
check "for a month" 0 '^0 addresses looked up in mmdb files$' ''
head -c 100 "$dir/net.mmdb" >"$dir/cut.mmdb"
run --set whosends.mmdb="$dir/cut.mmdb" names --no-dns
check "a broken file" 66 '' 'cut.mmdb'

# Mail that has nothing but the domain's own key, sent through a provider.
KEY=ours report 20.0.1.1 20.0.1.2 20.0.1.3 20.0.1.4 >"$dir/mail/2.xml"
KEY=theirs report 20.0.2.1 >"$dir/mail/3.xml"
run ingest --quiet "$dir/mail/2.xml" "$dir/mail/3.xml"
check "reports with keys" 0 '' ''
is "before anybody was asked" "$(senders " WHERE class = 'authorised' ORDER BY sources DESC")" \
    "own mail (selector ours)|authorised|high|dkim d=a.example s=ours, passed|4|
own mail (selector theirs)|authorised|high|dkim d=a.example s=theirs, passed|1|"
dns '1.1.0.20.in-addr.arpa PTR 7200 mail-ej1-f41.google.com' 'mail-ej1-f41.google.com A 7200 20.0.1.1' \
    '2.1.0.20.in-addr.arpa PTR 7200 mail-ej1-f42.google.com' 'mail-ej1-f42.google.com A 7200 20.0.1.2' \
    '3.1.0.20.in-addr.arpa PTR 7200 smtp03.salesforce.com' 'smtp03.salesforce.com A 7200 20.0.1.3' \
    '4.1.0.20.in-addr.arpa PTR 7200 mail-ej1-f43.google.com' 'mail-ej1-f43.google.com A 7200 20.99.0.1' \
    '1.2.0.20.in-addr.arpa PTR 7200 mail.notgoogle.com' 'mail.notgoogle.com A 7200 20.0.2.1'
run names
check "four of five names" 0 'asked about: 4 with a confirmed name, 1 with one that is not' ''
is "who carries it is told, and nothing else is changed" "$(senders " WHERE class = 'authorised' ORDER BY sources DESC")" \
    'own mail (selector ours)|authorised|high|dkim d=a.example s=ours, passed; 2 of 4 addresses have confirmed reverse names of Google Workspace / Gmail, 1 of Salesforce|4|{"Google Workspace / Gmail=2",Salesforce=1}
own mail (selector theirs)|authorised|high|dkim d=a.example s=theirs, passed|1|'
run verdict --line a.example --format csv
is "... nor does a verdict know of it" "$(grep -c Google "$dir/out")" 0

# Where the owner of the domain let its keys and return paths point to.
signed() { sql "SELECT sender, class, confidence, evidence FROM dmarc.senders('a.example') WHERE class = 'authorised' ORDER BY sources DESC"; }
sql "DELETE FROM dmarc_store.cname; DELETE FROM dmarc_store.address"
dns 'ours._domainkey.a.example CNAME 7200 s1.agency.example' 's1.agency.example CNAME 7200 s1.domainkey.u7.wl.sendgrid.net' \
    's1.domainkey.u7.wl.sendgrid.net EMPTY' 'theirs._domainkey.a.example SERVFAIL'
run names
check "names of keys are asked for, too" 0 '^2 names of keys and return paths asked about: 1 with a CNAME; mail of 1 domain was judged anew$' ''
is "who holds the key is who sends" "$(signed)" \
    "Twilio SendGrid|authorised|high|dkim d=a.example s=ours, passed; its key is at s1.domainkey.u7.wl.sendgrid.net
own mail (selector theirs)|authorised|high|dkim d=a.example s=theirs, passed"
is "the whole way is kept" "$(sql "SELECT targets, status FROM dmarc.cname ORDER BY name")" "{s1.agency.example,s1.domainkey.u7.wl.sendgrid.net}|found
{}|failed"
run explain a.example 20.0.1.1 --format json
is "explain tells it" "$(python3 -c 'import json, sys; print("\n".join(r["found"] + " => " + r["so"] for r in json.load(sys.stdin) if r["what"] == "catalogue: CNAME to"))' <"$dir/out")" \
    "s1.agency.example => nobody that is known
s1.domainkey.u7.wl.sendgrid.net => sendgrid.net is Twilio SendGrid"
run fsck
check "fsck agrees" 0 '^profile_class +[0-9]+ +0$' ''
run names
check "what is known is not asked again" 0 'addresses asked about' ''
is "... nor judged" "$(grep -c 'judged anew' "$dir/out")" 0
sql "UPDATE dmarc_store.cname SET expires = now() - interval '1 minute'"
dns 'theirs._domainkey.a.example CNAME 7200 dkim2.mcsv.net'
run names
check "a key that is gone, and one that answers now" 0 '^2 names of keys and return paths asked about: 1 with a CNAME' ''
is "mail stays signed by whom it was" "$(signed | cut -d'|' -f1)" "Twilio SendGrid
Mailchimp"
KEY=theirs report 20.0.2.2 >"$dir/mail/5.xml"
run ingest --quiet "$dir/mail/5.xml"
is "mail that comes in later is named at once" "$(sql "SELECT count(*) FROM dmarc.record r JOIN dmarc.classification c USING (domain, evidence) WHERE c.sender = 'Mailchimp'")" 2

# A signal ends it, and what was found until then is kept.
report 20.0.3.1 20.0.3.2 >"$dir/mail/4.xml"
run ingest --quiet "$dir/mail/4.xml"
check "more addresses" 0 '' ''
dns '1.3.0.20.in-addr.arpa PTR 7200 mail-ej1-f45.google.com' 'mail-ej1-f45.google.com A 7200 20.0.3.1' '2.3.0.20.in-addr.arpa SILENT'
status=0
timeout --preserve-status -s TERM 1.5 "$program" names >"$dir/out" 2>"$dir/err" </dev/null || status=$?
check "stopped" 143 '' 'could not look up all names: interrupted'
is "a name that was found before is kept" "$(row 20.0.3.1) $(row 20.0.3.2)" "confirmed|mail-ej1-f45.google.com "
finish
