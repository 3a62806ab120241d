#!/bin/bash
# The original of a mail: which are kept, that they come back byte by byte, and who may see them.
. tests/lib/cli_database.sh originals

# report ID
report() {
    cat <<XML
<?xml version="1.0"?>
<feedback><report_metadata><org_name>Reporter</org_name><email>dmarc@reporter.example</email><report_id>$1</report_id>
<date_range><begin>1790812800</begin><end>1790899199</end></date_range></report_metadata>
<policy_published><domain>a.example</domain><p>none</p></policy_published>
<record><row><source_ip>192.0.2.1</source_ip><count>5</count><policy_evaluated><disposition>none</disposition><dkim>pass</dkim>
<spf>fail</spf></policy_evaluated></row><identifiers><header_from>a.example</header_from></identifiers>
<auth_results><dkim><domain>a.example</domain><result>pass</result></dkim></auth_results></record></feedback>
XML
}
# mail NAME TYPE: of what comes in
mail() {
    { printf 'From: <dmarc@reporter.example>\nMessage-ID: <%s@x>\nSubject: Report\nContent-Type: %s\n\n' "$1" "$2" && cat; } >"$dir/mail/$1"
}
kept() { sql "SELECT coalesce(original, '-') FROM dmarc_store.message WHERE source LIKE '%/$1' ORDER BY id DESC LIMIT 1"; }

report one | mail stored text/xml
echo 'Dear postmaster' | mail prose text/plain
echo '<feedback><!DOCTYPE x>' | mail broken text/xml
printf 'Bytes \033[31m \0 and more\377' >>"$dir/mail/broken"
printf 'Feedback-Type: auth-failure\nVersion: 1\nUser-Agent: x\nReported-Domain: a.example\nSource-IP: 192.0.2.1\nAuth-Failure: dmarc\n' |
    mail failure message/feedback-report
printf 'Feedback-Type: abuse\nVersion: 1\nUser-Agent: x\n' | mail complaint message/feedback-report
printf 'Feedback-Type:\n' | mail senseless message/feedback-report
head -c 400000 /dev/urandom | base64 | cat <(report large) - | mail large text/xml
run ingest --limit original_size=100K "$dir/mail"
check "mails of all kinds" 65 '^7 mails: ' '*'
is "a report is kept" "$(kept stored)" kept
is "a problem is kept" "$(kept broken)" kept
is "somebody's mail is not" "$(kept prose)" -
is "a failure report is not" "$(kept failure)" private
is "nor is a complaint" "$(sql "SELECT count(*) FROM dmarc_store.original o JOIN dmarc_store.message m ON m.sha256 = o.mail_sha256 WHERE m.source LIKE '%/complaint'")" 0
is "nor one that cannot be read" "$(kept senseless) $(sql "SELECT outcome FROM dmarc_store.message WHERE source LIKE '%/senseless'")" "private problem"
is "nor one that is too large" "$(kept large)" too_large
is "what is kept is what is said to be kept" "$(sql "SELECT count(*), (SELECT count(*) FROM dmarc_store.message WHERE original = 'kept') FROM dmarc_store.original")" "2|2"

for name in stored broken; do
    run show --raw "$name@x"
    is "show --raw, byte by byte: $name" "$status $(cmp "$dir/out" "$dir/mail/$name" 2>&1)" "0 "
done
is "its size" "$(sql "SELECT bool_and(o.size = m.size) FROM dmarc_store.original o JOIN dmarc_store.message m ON m.sha256 = o.mail_sha256")" t
run show --raw failure@x
check "show --raw: a failure report" 66 '' "is not kept: it holds mail of others.hint: it came from file:|hint: it came from file:"
run show --raw large@x
check "show --raw: too large" 66 '' 'is not kept: it is over limit original_size'
run show --raw nothing
check "show --raw: no such mail" 66 '' "no mail in the ledger is meant by 'nothing'"
run show --raw --format json stored@x
check "show --raw is no format" 64 '' 'raw has no --format'
run show stored@x
check "show says that it is kept" 0 '^  original  *kept$' ''
status=0
script -qec "$program show --raw stored@x" /dev/null >"$dir/out" 2>"$dir/err" || status=$?
check "show --raw: not to a terminal" 64 'not written to a terminal' ''
"$program" show --raw stored@x >/dev/full 2>"$dir/err" && status=0 || status=$?
: >"$dir/out"
check "show --raw: an output that is full" 74 '' 'could not write the mail'

report one | mail again text/xml
run ingest "$dir/mail/again" "$dir/mail/stored"
is "nothing but duplicates: not kept" "$(kept again)|$(kept stored)|$(sql 'SELECT count(*) FROM dmarc_store.original')" "-|-|2"
run show --raw again@x
check "show --raw of it" 66 '' 'is not kept$'
run show "file:$dir/mail/stored"
check "show: the other row of the same bytes" 0 '^  also_as  *[0-9]+$' ''
report two | mail two text/xml
echo '<feedback><!DOCTYPE y>' | mail bad text/xml
run --set whosends.keep_originals=problems ingest "$dir/mail/two" "$dir/mail/bad"
is "keep_originals = problems" "$(kept two)|$(kept bad)" "-|kept"
echo '<feedback><!DOCTYPE z>' | mail worse text/xml
run --set whosends.keep_originals=none ingest "$dir/mail/worse"
is "keep_originals = none" "$(kept worse)" -
run --set whosends.keep_originals=all ingest "$dir/mail/worse"
check "a word that is none of these" 64 '' 'reports, problems, none'

# 3 MB of text pack well, and are read in slices.
{ report big; seq 500000; } | mail big text/xml
head -c 900000 /dev/urandom | base64 >>"$dir/mail/big"
run ingest "$dir/mail/big"
run show --raw big@x
is "a large one, in slices" "$status $(kept big) $(cmp "$dir/out" "$dir/mail/big" 2>&1)" "0 kept "
sql "UPDATE dmarc_store.original SET data = overlay(data PLACING '\\x00ff00ff00'::bytea FROM 20) WHERE size < 2000"
run show --raw stored@x
check "show --raw: damaged in the database" 65 '*' 'the original of mail [0-9a-f]{12} in the database is damaged'
sql "UPDATE dmarc_store.original SET data = substring(data FROM 1 FOR 700000) WHERE size > 2000"
run show --raw big@x
check "show --raw: cut off in the database" 65 '*' 'it breaks off'
run ingest "$dir/mail/broken"
check "a problem once more" 65 '^1 mail: .* 1 problem$' '*'
is "... which has its original already: the server finds no error in that" "$(kept broken) $(grep ERROR: "$dir/pg/log")" "kept "
finish
