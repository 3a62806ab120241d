#!/bin/bash
# A large report whose rows find no room in $TMPDIR is left where it is, and the mails behind it are stored.
. tests/lib/cli_database.sh no_room

full=$dir/full
mkdir "$full"
if ! mount -t tmpfs -o size=1m tmpfs "$full" 2>/dev/null; then
    ok "no room # SKIP tmpfs cannot be mounted here"
    finish
    exit
fi
cleanup() {
    pg_stop
    umount "$full"
}

# mail NAME RECORDS
mail() {
    python3 - "$1" "$2" >"$dir/mail/$1" <<'PY'
import sys, base64, gzip
name, records = sys.argv[1], int(sys.argv[2])
record = ("<record><row><source_ip>192.0.%d.%d</source_ip><count>%d</count><policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>"
          "<identifiers><header_from>a.example</header_from><envelope_from>e%d.example</envelope_from></identifiers><auth_results><spf><domain>e%d.example</domain><result>pass</result></spf></auth_results></record>")
xml = ("<feedback><report_metadata><org_name>Reporter</org_name><email>dmarc@reporter.example</email><report_id>%s</report_id>"
       "<date_range><begin>1790812800</begin><end>1790899199</end></date_range></report_metadata>"
       "<policy_published><domain>a.example</domain><p>none</p></policy_published>" % name
       + "".join(record % (i // 256 % 256, i % 256, i + 1, i, i) for i in range(records)) + "</feedback>")
print("From: <dmarc@reporter.example>\nMessage-ID: <%s@x>\nContent-Type: application/gzip\nContent-Transfer-Encoding: base64\n" % name)
print(base64.encodebytes(gzip.compress(xml.encode())).decode(), end="")
PY
}
stored() { sql "SELECT count(*), sum(record_count) FROM dmarc_store.report"; }

for i in {100..149}; do mail "$i" 1; done
mail 150-large 40000
for i in {151..200}; do mail "$i" 1; done
export TMPDIR=$full
for how in '' --no-confine; do
    run ingest $how "$dir/mail"
    check "a report that finds no room${how:+, $how}" 75 '^100 mails: 100 stored' 'could not write a temporary file in .*/full: No space left'
    is "... is left, and the others are stored" "$(stored) $(sql "SELECT count(*), count(*) FILTER (WHERE outcome = 'stored') FROM dmarc_store.message")" \
        "100|100 100|100"
    [ -z "$how" ] && sql "SELECT dmarc_store.prune_month('2026-10-01')" >/dev/null && sql "DELETE FROM dmarc_store.message; DELETE FROM dmarc_store.document; DELETE FROM dmarc_store.original"
done
# Whose fault it is: so little room that not even small mails find any.
mkdir "$full/kept" && dd if=/dev/zero of="$full/kept/rest" bs=4k 2>/dev/null
mail 300-large 30000
for i in {301..310}; do mail "$i" 1; done
run ingest "$dir/mail"
check "no room at all" 75 '^110 mails: 10 stored, 100 duplicate' 'No space left'
is "... for what needs none" "$(stored)" "110|110"
rm -r "$full/kept"
TMPDIR=$dir run ingest "$dir/mail"
check "room again" 0 '^112 mails: 2 stored, 110 duplicate' "*"
is "... for all" "$(stored)" "112|70110"
finish
