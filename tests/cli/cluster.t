#!/bin/bash
# From nothing: no configuration, no database. The private cluster is made by ingest, and stopped at the end.
. tests/lib/cli.sh
chmod 711 "$dir"
cleanup() { "$program" stop >/dev/null 2>&1; }

cat >"$dir/report.xml" <<'XML'
<feedback>
 <report_metadata><org_name>Reporter</org_name><email>dmarc@reporter.example</email><report_id>1</report_id>
  <date_range><begin>1772323200</begin><end>1772409599</end></date_range></report_metadata>
 <policy_published><domain>a.example</domain><p>reject</p></policy_published>
 <record>
  <row><source_ip>192.0.2.1</source_ip><count>5</count>
   <policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>
  <identifiers><header_from>a.example</header_from></identifiers>
  <auth_results><dkim><domain>a.example</domain><selector>s</selector><result>pass</result></dkim>
   <spf><domain>other.example</domain><result>fail</result></spf></auth_results>
 </record>
</feedback>
XML

run -v ingest "$dir/report.xml"
check "ingest makes the cluster and the schema" 0 '^1 mail: 1 stored' 'debug: database: private cluster'
run senders --format csv
check "senders" 0 'a\.example' ''
run sql -- -XAtc "select sum(message_count) from record where domain = 'a.example' and dkim_aligned"
check "sql" 0 '^5$' ''
server=$(head -n 1 "$dir/cluster/postgresql/data/postmaster.pid")
is "the server has its log as output and for messages, and no further time" \
    "$(find "/proc/$server/fd" -lname "$dir/cluster/postgresql/log" -printf '%f\n' | sort | tr '\n' ' ')" "1 2 "
run stop
check "stop" 0 "^the private cluster in '.*' was stopped$" ''
run stop
check "stop again" 0 "^the private cluster in '.*' does not run$" ''
run status --format csv
check "the next command starts it again" 0 '^[a-z_]+,' ''
run ingest "$dir/report.xml"
check "nothing was lost" 0 '^1 mail: 0 stored, 1 duplicate' ''
finish
