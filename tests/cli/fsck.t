#!/bin/bash
# Each thing that fsck proves, broken by hand: it is found, and made anew where that can be.
. tests/lib/cli_database.sh fsck

bench/generate.py --reports 40 --records-mean 4 --domains 3 --days 70 --duplicates 0.1 --mbox "$dir/in.mbox" --truth "$dir/truth" || exit 1
run ingest --quiet "$dir/in.mbox"
fold_all() { while test "$(sql 'select dmarc_store.fold(1000, true)')" != 0; do :; done; }
fold_all
bench/generate.py --reports 10 --records-mean 4 --domains 2 --days 40 --seed 7 --mbox "$dir/more.mbox" --truth "$dir/truth" || exit 1
run ingest --quiet "$dir/more.mbox"
sql "with t as (insert into dmarc_store.tls_report (domain, day, identity, content, reporter, report_id, period_begin, period_end, policy_count,
                                                   failure_count, id_collision)
               values ('a.example', '2026-10-01', md5('t')::uuid, md5('t')::uuid, 'r', 't', '2026-10-01', '2026-10-02', 1, 1, false) returning id)
     insert into dmarc_store.document (mail_sha256, message, ordinal, path, kind, outcome, domain, day, report)
     select m.sha256, m.id, 99, 'x', 'tls', 'stored', 'a.example', '2026-10-01', t.id
     from t, (select * from dmarc_store.message where outcome = 'stored' order by id limit 1) m;
     insert into dmarc_store.tls_policy (domain, day, report, ordinal, policy_type)
     select domain, day, id, 1, 'sts' from dmarc_store.tls_report;
     insert into dmarc_store.tls_failure (domain, day, report, policy, ordinal, result_type)
     select domain, day, id, 1, 1, 'x' from dmarc_store.tls_report"
run fsck
check "nothing is wrong" 0 '^profile_source +[0-9,]+ +0$' ''
is "both folded and unfolded reports are there" "$(sql 'select count(*) > 0 and count(*) < 50 from dmarc_store.unfolded')" t
run fsck --quiet
check "quietly" 0 '' ''
run fsck --format csv
check "as CSV" 0 '^check,looked_at,wrong,example' ''
is "every check is there" "$(sed 1d "$dir/out" | cut -d, -f1 | sort)" "$(sql 'select check_name from dmarc_store.checks()' | sort)"
is "and looks at something, but for one that has nothing" "$(awk -F, 'NR > 1 && $2 == 0 { print $1 }' "$dir/out")" reading_has_mail
run fsck --format json
is "as JSON" "$(python3 -c 'import json, sys; print(len(json.load(sys.stdin)))' <"$dir/out")" "$(sql 'select count(*) from dmarc_store.checks()')"
run fsck --format xml
check "in another format" 64 '' 'table, csv or json'
psql -Xqd postgres -c "create database sound template fsck"
sound=$(sql 'select count(*) from dmarc_store.observation')

# broken NAME MENDED CHECKS SQL: what fsck says after the SQL; then --repair, and whether all is as it was.
broken() {
    sql "$4" || not_ok "$1: could be broken"
    run fsck --format csv
    is "$1: is found" "$status $(awk -F, 'NR > 1 && $3 > 0 { print $1 }' "$dir/out" | paste -sd' ')" "65 $3"
    is "$1: with an example" "$(awk -F, 'NR > 1 && $3 > 0 && $4 == ""' "$dir/out")" ""
    run fsck --repair --format csv
    is "$1: no record is touched" "$(sql 'select count(*) from dmarc_store.observation')" "$5"
    if test "$2" = mended; then
        is "$1: is mended" "$status $(awk -F, 'NR > 1 && $3 > 0 { print $1 }' "$dir/out" | paste -sd' ')" "0 "
        is "$1: all figures are as before" "$(figures)" "$figures"
    elif test "$2" = forgotten; then
        is "$1: all says what the records say" "$status" 0
    else
        is "$1: stays" "$status" 65
    fi
    psql -Xqd postgres -c "drop database fsck with (force)" -c "create database fsck template sound"
}

figures() { sql "select md5(string_agg(t::text, '|' order by t::text)) from (select f::text from dmarc.summary() f union all select f::text from dmarc.senders() f
    union all select f::text from dmarc.sources() f union all select f::text from dmarc.timeline() f union all select f::text from dmarc.reporters() f) t"; }
figures=$(figures)

one_report="(select r from dmarc_store.report r where r.record_count > 1 and not exists (select from dmarc_store.unfolded u where u.report = r.id) order by r.id limit 1)"
of_it="(domain, day, report) = (select (x.r).domain, (x.r).day, (x.r).id from (select $one_report as r) x)"
is_it="(domain, day, id) = (select (x.r).domain, (x.r).day, (x.r).id from (select $one_report as r) x)"

broken "a total" mended report_totals "update dmarc_store.report set spf_aligned_count = spf_aligned_count + 1 where $is_it" "$sound"
broken "the number of records" mended report_totals "update dmarc_store.report set record_count = 0 where $is_it" "$sound"
broken "a daily sum" mended "profile_day domain_day" "update dmarc_store.summed set messages[1] = messages[1] + 1 where ctid = (select ctid from dmarc_store.summed_202609 limit 1) and tableoid = 'dmarc_store.summed_202609'::regclass" "$sound"
broken "a daily sum too few" mended "profile_day domain_day" "delete from dmarc_store.summed where day = (select max(day) from dmarc_store.summed)" "$sound"
broken "one of several daily sums too few" mended "profile_day domain_day" "update dmarc_store.summed set profiles = profiles[2:], records = records[2:], messages = messages[2:], quarantined = quarantined[2:], rejected = rejected[2:] where cardinality(profiles) > 1" "$sound"
broken "a daily sum too many" mended "profile_day domain_day" "insert into dmarc_store.summed select day, not doubtful, domain, profiles[1:1], records[1:1], messages[1:1], quarantined[1:1], rejected[1:1] from dmarc_store.summed limit 1" "$sound"
broken "a daily sum that is there twice" mended "profile_day domain_day" "insert into dmarc_store.summed select * from dmarc_store.summed where records[1] > 0 limit 1" "$sound"
broken "what was quarantined" mended "profile_day domain_day" "update dmarc_store.summed set quarantined = array(select m + 1 from unnest(messages) m)" "$sound"
broken "an address too few" mended profile_source "update dmarc_store.folded set profile_at = profile_at[2:], source_ips = source_ips[2:], days = days[2:] where cardinality(days) > 1 and source_ips[1] = (select min(source_ips[1]) from dmarc_store.folded where cardinality(days) > 1)" "$sound"
broken "an address too many" mended profile_source "insert into dmarc_store.folded select day, doubtful, domain, profiles[1:1], '{1}', '{203.0.113.9}', '{1}' from dmarc_store.folded limit 1" "$sound"
broken "the days of addresses" mended profile_source "update dmarc_store.folded set days[1] = days[1] # 1" "$sound"
broken "the profile of an address" mended profile_source "update dmarc_store.folded f set profiles[1] = (select p.hash from dmarc_store.profile p where p.domain = f.domain and p.hash <> all (f.profiles) limit 1) where cardinality(f.profiles) = (select min(cardinality(profiles)) from dmarc_store.folded)" "$sound"
broken "addresses that are there twice" mended profile_source "insert into dmarc_store.folded select * from dmarc_store.folded limit 1" "$sound"
broken "a report that waits no more" mended profile_source "delete from dmarc_store.unfolded where report = (select min(report) from dmarc_store.unfolded)" "$sound"
broken "a report that waits and is none" mended unfolded "insert into dmarc_store.unfolded (domain, day, report, records, doubtful) values ('a.example', '2026-10-01', 999999, 1, false)" "$sound"
broken "the doubt about one that waits" mended "profile_source unfolded" "update dmarc_store.unfolded set doubtful = true where report = (select min(report) from dmarc_store.unfolded); insert into dmarc_store.folded select day, doubtful, domain, profiles[1:1], '{1}', '{203.0.113.9}', '{1}' from dmarc_store.folded limit 1" "$sound"
broken "the records of one that waits" mended unfolded "update dmarc_store.unfolded set records = records + 1" "$sound"
broken "a class of a day" mended domain_day "update dmarc_store.domain_day set unknown = unknown + 1" "$sound"
broken "the reports of a day" mended domain_day "update dmarc_store.domain_day set reports = reports + 1" "$sound"
broken "a day too few" mended domain_day "delete from dmarc_store.domain_day where day = (select min(day) from dmarc_store.domain_day)" "$sound"
broken "a day too many" mended domain_day "insert into dmarc_store.domain_day values ('x.example', '2026-10-01', false, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)" "$sound"
broken "a class" mended "profile_class domain_day" "update dmarc_store.profile set class = 'forwarded' where class = 'authorised'" "$sound"
broken "a name" mended profile_class "update dmarc_store.profile set sender = 'somebody' where hash = (select hash from dmarc_store.profile order by domain, hash limit 1)" "$sound"
broken "a profile that is gone" mended "evidence_has_profile profile_hash domain_day" "delete from dmarc_store.profile where class = 'authorised'" "$sound"
broken "a profile that says something else" mended "profile_hash profile_class" "update dmarc_store.profile set spf_domains = '{amazonses.com}', spf_scopes = '{mfrom}' where hash in (select profile from dmarc_store.evidence) and not spf_aligned and spf_domains is null" "$sound"
broken "whether the domain had signed" mended profile_hash "update dmarc_store.profile set own_signed = not own_signed where class = 'authorised'" "$sound"
broken "the profile of a piece of evidence" mended "profile_hash profile_day profile_source" "update dmarc_store.evidence e set profile = (select p.hash from dmarc_store.profile p where p.domain = e.domain and p.hash <> e.profile order by p.hash limit 1) where hash = (select evidence from dmarc_store.observation where $of_it limit 1)" "$sound"

broken "a record that is gone" forgotten "report_totals profile_day" "update dmarc_store.observed set first_ordinal = 2, evidence_at = evidence_at[2:], message_counts = message_counts[2:], source_ips = source_ips[2:], sources_raw = sources_raw[2:] where $of_it and first_ordinal = 1" $((sound - 1))
broken "a record that is of no report" stays record_has_report "insert into dmarc_store.observed (domain, day, report, first_ordinal, evidence, evidence_at, message_counts, source_ips) select domain, day, 999999, 1, evidence[1:1], '{1}', message_counts[1:1], source_ips[1:1] from dmarc_store.observed where $of_it limit 1" $((sound + 1))
broken "a record of a report that was replaced" stays "record_has_report profile_day profile_source domain_day" "update dmarc_store.report set replaced = true where $is_it" "$sound"
broken "a record without evidence" stays "report_totals record_has_evidence profile_day profile_source" "update dmarc_store.observed x set evidence = array_replace(x.evidence, l.lost, md5('none')::uuid) from (select o.evidence as lost from dmarc_store.observation o join dmarc_store.evidence e on e.hash = o.evidence and e.dkim_aligned where not exists (select from dmarc_store.unfolded u where u.report = o.report) group by o.evidence order by count(*) desc, o.evidence limit 1) l where l.lost = any (x.evidence)" "$sound"
broken "a report that is stored twice" stays "report_once report_has_document domain_day" "insert into dmarc_store.report select (jsonb_populate_record(r, jsonb_build_object('id', 999999, 'day', r.day + 400, 'record_count', 0, 'message_count', 0, 'dkim_aligned_count', 0, 'spf_aligned_count', 0, 'disagree_count', 0))).* from dmarc_store.report r where $is_it" "$sound"
broken "a report that is gone" stays "document_has_report record_has_report profile_day profile_source domain_day" "delete from dmarc_store.report where $is_it" "$sound"
broken "a document that is gone" stays report_has_document "delete from dmarc_store.document where ordinal = 99" "$sound"
broken "a mail that is gone" stays "document_has_mail original_has_mail" "delete from dmarc_store.message where id = (select min(id) from dmarc_store.message where outcome = 'stored')" "$sound"
broken "an outcome" stays mail_outcome "update dmarc_store.message set outcome = 'no_report' where id = (select min(id) from dmarc_store.message where outcome = 'stored')" "$sound"
broken "a mail that is there twice" stays mail_once "update dmarc_store.message set identity = true; drop index dmarc_store.message_source_uq; insert into dmarc_store.message (sha256, source, identity, size, outcome) select sha256, source, true, size, 'duplicate' from dmarc_store.message order by id limit 1" "$sound"
broken "a reading of no mail" stays reading_has_mail "insert into dmarc_store.reading (mail_sha256, message, ordinal, command, outcome) values ('x', 1, 1, 'retry', 'problem')" "$sound"
broken "an original of no mail" stays original_has_mail "insert into dmarc_store.original (mail_sha256, size, data) values ('x', 1, 'x')" "$sound"
broken "an original that is gone" stays mail_has_original "delete from dmarc_store.original where mail_sha256 in (select mail_sha256 from dmarc_store.original limit 1)" "$sound"
broken "a failure of no policy" stays tls_totals "update dmarc_store.tls_failure set policy = 2" "$sound"
broken "a policy of a TLS report" stays tls_totals "delete from dmarc_store.tls_policy" "$sound"
broken "a rule of no sender" stays rule_has_sender "insert into dmarc.sender_rule (kind, pattern, sender) values ('dkim_domain', 'x.example', 'nosuch')" "$sound"
broken "a partition of another name" stays partition "do \$\$ declare t text; begin
    execute 'alter table dmarc_store.domain_day detach partition dmarc_store.domain_day_202609';
    execute 'create table dmarc_store.domain_day_202605 partition of dmarc_store.domain_day for values from (''2026-09-01'') to (''2026-10-01'')';
    execute 'insert into dmarc_store.domain_day select * from dmarc_store.domain_day_202609'; execute 'drop table dmarc_store.domain_day_202609'; end \$\$" "$sound"

# What looks wrong while somebody is alone with what is stored is looked at again when he has done.
psql -Xqc "begin; select dmarc_store.alone(); select pg_sleep(60)" >/dev/null 2>&1 &
alone() { sql "select $1 from pg_stat_activity where datname = 'fsck' and $2"; }
for _ in $(seq 100); do test "$(alone 'count(*)' "wait_event = 'PgSleep'")" = 1 && break; sleep 0.05; done
sql "update dmarc_store.domain_day set unknown = unknown + 1"
run fsck --quiet &
looking=$!
for _ in $(seq 100); do test "$(alone 'count(*)' "wait_event = 'advisory'")" = 1 && break; sleep 0.05; done
sql "update dmarc_store.domain_day set unknown = unknown - 1"
alone 'pg_terminate_backend(pid)' "wait_event = 'PgSleep'" >/dev/null
wait $looking
is "what is wrong for a moment only, while somebody changes it" "$(cat "$dir/out" "$dir/err")" ""

# Several at once, in one repair.
sql "update dmarc_store.evidence e set profile = (select p.hash from dmarc_store.profile p where p.domain = e.domain order by p.hash limit 1);
     update dmarc_store.report set message_count = 1; delete from dmarc_store.folded; update dmarc_store.domain_day set passed = 0"
run fsck
check "much at once" 65 '^profile_hash +[0-9]+ +[1-9]' ''
run fsck --repair
check "is mended" 0 '^domain_day +[0-9]+ +0$' ''
is "and all figures are as before" "$(figures)" "$figures"
finish
