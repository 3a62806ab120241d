#!/bin/bash
# maintain, prune and fsck as they are called, on reports of many months.
. tests/lib/cli_database.sh upkeep

# report ID DAY [DOMAIN]: one report with two records.
report() {
    cat <<XML
<?xml version="1.0"?>
<feedback>
 <report_metadata><org_name>Reporter</org_name><email>dmarc@reporter.example</email><report_id>$1</report_id>
  <date_range><begin>$(date -ud "$2" +%s)</begin><end>$(($(date -ud "$2" +%s) + 86399))</end></date_range></report_metadata>
 <policy_published><domain>${3:-a.example}</domain><p>none</p></policy_published>
 <record><row><source_ip>192.0.2.1</source_ip><count>3</count>
   <policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row>
  <identifiers><header_from>${3:-a.example}</header_from></identifiers>
  <auth_results><spf><domain>other-$1.example</domain><result>pass</result></spf></auth_results></record>
 <record><row><source_ip>192.0.2.2</source_ip><count>4</count>
   <policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row>
  <identifiers><header_from>${3:-a.example}</header_from></identifiers>
  <auth_results><spf><domain>same.example</domain><result>fail</result></spf></auth_results></record>
</feedback>
XML
}

# large DAY: a report of many records.
large() {
    report large "$1" c.example | sed '/<record>/,$d'
    awk 'BEGIN { for (i = 0; i < 10001; i++) printf "<record><row><source_ip>10.0.%d.%d</source_ip><count>1</count><policy_evaluated>" \
        "<disposition>none</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>c.example</header_from>" \
        "</identifiers><auth_results/></record>\n", i / 256, i % 256; print "</feedback>" }'
}

sums() {
    for name in summary senders sources timeline; do
        run "$name" --format csv
        cat "$dir/out"
    done
}

# default_rows: those in default partitions whose month gets a partition
default_rows() { sql 'select count(*) from dmarc_store.stray_months()'; }

holds() {
    run fsck
    check "fsck finds nothing: $1" 0 '^mail_once +[0-9,]+ +0$' ''
}

now=$(date -u +%Y-%m-15) old=$(date -ud "$now -30 months" +%Y-%m-15) older=$(date -ud "$now -31 months" +%Y-%m-15)
ancient=$(date -ud "$now -5 years" +%Y-%m-15) last=$(date -ud "$now -1 month" +%Y-%m-15)
cut=$(date -ud "$now -2 years" +%Y-%m-01)
mkdir "$dir/in"
n=0
for day in $ancient $older $old $last $now; do
    n=$((n + 1))
    report "r$n" "$day" >"$dir/in/$n.xml"
    report "s$n" "$day" b.example >"$dir/in/b$n.xml"
done
large "$now" >"$dir/in/large.xml"

run maintain
check "maintain without a database" 78 '' 'whosends init'
run ingest "$dir/in"
check "eleven reports" 0 '11 stored' ''
holds "after ingest"

# Names of other tables end in numbers, too, and most of these are no months.
sql 'create table public.toast_107372 ()'

# ---- maintain ----

sums >"$dir/before"
run maintain
check "maintain" 0 '^[0-9]+ partitions made; 11 reports folded, 0 rows of daily sums put together; 0 profiles' ''
is "the months to come have partitions" "$(sql "select count(*) from unnest(dmarc_store.month_tables()) t, generate_series(0, 2) n
    where to_regclass(format('dmarc_store.%s_%s', t, to_char(now() + make_interval(months => n), 'YYYYMM'))) is not null")" 15
is "what was folded lies in partitions of its months" "$(sql "select count(*) from dmarc_store.folded where tableoid = 'dmarc_store.folded_other'::regclass and day > now() - interval '3 years'") $(sql 'select count(distinct day) from dmarc_store.folded')" '0 5'
is "nothing is left to fold" "$(sql 'select count(*) from dmarc_store.unfolded')" 0
is "the figures are the same" "$(sums | cmp - "$dir/before" && echo same)" same
run maintain
check "maintain again does nothing" 0 '^0 partitions made; 0 reports folded, 0 rows of daily sums put together; 0 profiles' ''
run maintain --quiet
check "quietly" 0 '' ''

# While a month goes on, little does not make much be written anew.
mkdir "$dir/little"
for day in $now $last; do report "little-$day" "$day" c.example >"$dir/little/$day.xml"; done
run ingest "$dir/little"
check "two reports of few records" 0 '2 stored' ''
sums >"$dir/before"
run maintain
check "that of a month that is over is folded" 0 '; 1 report folded' ''
is "the other one waits" "$(sql 'select report > 0, day from dmarc_store.unfolded')" "t|$now"
is "the figures are the same" "$(sums | cmp - "$dir/before" && echo same)" same
holds "while one waits"
holds "after maintain"

sql "insert into dmarc.sender (key, name, kind) values ('mine', 'My server', 'own');
     insert into dmarc.sender_rule (kind, pattern, sender) values ('spf_domain', 'other-r1.example', 'mine')"
run fsck
check "fsck sees that the catalogue has changed" 65 '^profile_class +[0-9]+ +1 ' ''
run maintain
check "maintain judges by it" 0 '; 1 profile judged' ''
holds "after judging"

# Rows that came before their partition.
sql "do \$\$ declare t text; m text; begin
    foreach t in array dmarc_store.month_tables() loop
        foreach m in array array['$old', '$last'] loop
            m := to_char(m::date, 'YYYYMM');
            execute format('alter table dmarc_store.%I detach partition dmarc_store.%I', t, t || '_' || m);
            execute format('insert into dmarc_store.%I select * from dmarc_store.%I', t, t || '_' || m);
            execute format('drop table dmarc_store.%I', t || '_' || m);
        end loop;
    end loop; end \$\$"
is "rows lie in default partitions" "$(default_rows)" 10
sums >"$dir/before"
run maintain
check "maintain gives them partitions" 0 '^0 partitions made, 10 more for [0-9]+ rows that came before;' ''
is "and moves them there" "$(default_rows)" 0
is "the figures are the same then" "$(sums | cmp - "$dir/before" && echo same)" same
holds "after moving"

# What is free in a month that is over goes back to the disk, unless somebody reads there.
month=$(date -ud "$last" +%Y%m)
sql "insert into dmarc_store.summed select date '$last', false, 'c.example', array[gen_random_uuid()], '{1}', '{1}' from generate_series(1, 9000);
     delete from dmarc_store.summed where domain = 'c.example' and day = '$last' and cardinality(records) = 1 and records = '{1}'
         and not exists (select from dmarc_store.profile p where p.hash = any (profiles))"
sums >"$dir/before"
room() { sql "select pg_relation_size('dmarc_store.summed_$month')"; }
bloated=$(room)
psql -X -q -c "begin; select count(*) from dmarc_store.summed_$month; select pg_sleep(8)" >"$dir/reader" 2>&1 &
reader=$!
until [ "$(sql "select count(*) from pg_stat_activity where query like '%pg_sleep(8)%' and pid <> pg_backend_pid()")" = 1 ]; do sleep 0.1; done
run maintain
check "maintain while somebody reads" 0 '^0 partitions made' ''
is "the room stays" "$(room)" "$bloated"
kill $reader
wait $reader 2>/dev/null
sql "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(8)%' and pid <> pg_backend_pid()" >"$dir/gone"
run maintain
check "maintain when nobody does" 0 '; [0-9.]+ MB given back to the disk$' ''
is "so the table is small" "$(test "$(room)" -lt 100000 && echo yes)" yes
is "the figures are the same" "$(sums | cmp - "$dir/before" && echo same)" same
run maintain
check "and once is enough" 0 'than before$' ''
holds "after that"

# Two at once, and some that are killed, with ingest beside them.
mkdir "$dir/more"
for i in $(seq 40); do report "m$i" "$(date -ud "$now -$((i % 6)) months" +%Y-%m-%d)" >"$dir/more/$i.xml"; done
for i in $(seq 40); do "$program" ingest --quiet - <"$dir/more/$i.xml"; done
again() { sql 'select dmarc_store.rebuild(null, null, null)' >/dev/null; }
again
rows=$(sql 'select count(*) from dmarc_store.summed')
sql 'insert into dmarc_store.summed select * from dmarc_store.summed; insert into dmarc_store.summed (domain, day, doubtful, profiles, records, messages)
     select domain, day, doubtful, array[profile], array[-records / 2], array[-messages / 2] from dmarc_store.profile_day'
"$program" maintain >"$dir/one" 2>&1 & one=$!
"$program" maintain >"$dir/two" 2>&1 & two=$!
"$program" ingest "$dir/in" >"$dir/three" 2>&1 & three=$!
failed_ones=0
for pid in $one $two $three; do wait $pid || failed_ones=$((failed_ones + 1)); done
is "two at once beside ingest" "$failed_ones $(cat "$dir/one" "$dir/two" | grep -c '; [0-9]* reports* folded')" "0 2"
is "share the work" "$(($(sed 's/.*; \([0-9]*\) reports* folded.*/\1/' "$dir/one" "$dir/two" | paste -sd+)))" 53
is "and put the rows of sums together" "$(sql 'select count(*) from dmarc_store.summed')" "$rows"
for delay in 0.01 0.02 0.04 0.06; do
    again
    "$program" maintain >/dev/null 2>&1 & one=$!
    sleep $delay
    kill -KILL $one
    wait $one 2>/dev/null
done
run maintain
check "after some that were killed" 0 'folded' ''
again
holds "after that"

# fsck beside ingest and maintain: each check sees one state.
mkdir "$dir/many"
for i in $(seq 150); do report "k$i" "$(date -ud "$now -$((i % 40)) days" +%Y-%m-%d)" >"$dir/many/$i.xml"; done
for i in $(seq 150); do "$program" ingest --quiet - <"$dir/many/$i.xml"; test $((i % 10)) != 0 || "$program" maintain --quiet; done >"$dir/ingest" 2>&1 &
one=$! found=0 looks=0
while kill -0 $one 2>/dev/null; do
    run fsck --quiet
    looks=$((looks + 1))
    test "$status" = 0 || found=$((found + 1))
done
wait $one
is "fsck finds nothing beside them" "$found $(cat "$dir/ingest")" "0 "
test $looks -gt 3 || not_ok "fsck ran beside them: $looks"
is "they did something" "$(sql 'select count(*) from dmarc_store.report')" 203

# ---- prune ----

run prune
check "prune of nothing in particular" 64 '' '--keep 2y'
run prune --keep 2y --before 2020-01-01
check "prune of two things" 64 '' '--keep 2y'
run prune --keep 12h
check "prune by hours" 64 '' "cannot read --keep '12h'"
run prune --before 2999-01-01
check "prune of the future" 64 '' 'in the future'
run prune --keep 2y
check "prune without a terminal and without --yes" 64 "^would go, before $cut: 3 months" 'nobody can be asked'
is "nothing went" "$(sql 'select count(*) from dmarc_store.report')" 203
run prune --keep 2y --dry-run
check "what would go" 0 "^would go, before $cut: 3 months with 6 reports and 12 records, 0 mails of the ledger, about [0-9.]+ MB\$" ''
is "nothing went by that" "$(sql 'select count(*) from dmarc_store.report') $(sql 'select count(*) from dmarc_store.pruning')" "203 0"
run prune --keep 2y --yes
check "what went" 0 "^gone, before $cut: 3 months with 6 reports and 12 records, 0 mails" ''
is "the reports are gone" "$(sql "select count(*) filter (where day < '$cut'), count(*) from dmarc_store.report")" "0|197"
is "and their partitions" "$(sql "select to_regclass('dmarc_store.observed_$(date -ud "$old" +%Y%m)') is null")" t
is "and the evidence that only they had" "$(sql "select count(*) from dmarc_store.evidence where spf_domains = '{other-r2.example}'")" 0
is "the mails came later, and stay" "$(sql 'select count(*) from dmarc_store.message')" 214
holds "after prune"
run prune --keep 2y --yes
check "prune again" 0 "^nothing that is stored lies before $cut\$" ''

# The mails that came before the cut-off go, too; with bytes that came again, the original stays.
sql "update dmarc_store.message set ingested_at = '$ancient' where id in (select d.message from dmarc_store.document d join dmarc_store.message m on m.id = d.message and m.source like '%/in/%' and m.source not like '%large%' where d.outcome = 'stored')"
run prune --keep 2y --yes
check "mails that nothing keeps" 0 ': 0 months with 0 reports and 0 records, 6 mails' ''
is "are out of the ledger" "$(sql "select count(*) from dmarc_store.message where ingested_at < '$cut'")" 4
is "and of what was kept" "$(sql 'select count(*) from dmarc_store.original o where not exists (select from dmarc_store.message m where m.sha256 = o.mail_sha256)')" 0
holds "after pruning mails"

# What comes again is said.
report x2 "$older" >"$dir/again.xml"
run ingest "$dir/again.xml"
check "a report of a month that was pruned" 0 '1 stored' "1 report of months before $cut, up to where was pruned, came in"
run ingest "$dir/more/1.xml"
check "others are not told of" 0 '1 duplicate' ''
run prune --keep 2y --yes
check "it goes with the next prune" 0 ': 1 month with 1 report and 2 records' ''
holds "after that"

# Somebody is asked on a terminal.
ask() {
    python3 - "$1" "$program" prune --before "$last" <<'PY' >"$dir/out" 2>&1
import os, pty, sys
pid, fd = pty.fork()
if not pid:
    os.execv(sys.argv[2], sys.argv[2:])
os.write(fd, sys.argv[1].encode() + b"\n")
text = b""
while True:
    try:
        piece = os.read(fd, 4096)
    except OSError:
        break
    if not piece:
        break
    text += piece
print(text.decode(), os.waitpid(pid, 0)[1])
PY
}
ask n
is "who says no" "$(grep -c 'Nothing was taken away' "$dir/out")" 1
ask y
is "who says yes" "$(grep -c 'gone, before' "$dir/out")" 1
holds "after asking"

# Readers beside prune, which is killed where somebody else holds the eleventh of twenty months.
mkdir "$dir/beside"
for i in $(seq 60); do report "b$i" "$(date -ud "$now -$((i % 20 + 6)) months" +%Y-%m-%d)" >"$dir/beside/$i.xml"; done
run ingest "$dir/in" "$dir/more" "$dir/beside"
held=dmarc_store.observed_$(date -ud "$now -15 months" +%Y%m)
holds_it() { sql "select count(*) from pg_locks where relation = '$held'::regclass and granted"; }
psql -X -q -o /dev/null -c begin -c "lock table $held in access share mode" -c 'select pg_sleep(60)' 2>/dev/null & holder=$!
for _ in $(seq 600); do test "$(holds_it)" = 0 || break; sleep 0.05; done
for i in 1 2 3; do
    (for j in $(seq 20); do "$program" summary >/dev/null 2>"$dir/reader.$i" || echo failed; done) >"$dir/readers.$i" &
done
"$program" prune --keep 3m --yes >/dev/null 2>&1 & one=$!
for _ in $(seq 600); do
    test "$(sql "select count(*) from pg_locks where relation = '$held'::regclass and not granted and mode = 'AccessExclusiveLock'")" = 0 || break
    sleep 0.05
done
{ kill -KILL $one; wait $one; } 2>/dev/null
status=$?
sql "select pg_terminate_backend(pid) from pg_stat_activity where query ~ 'prune_month|pg_sleep.60' and pid <> pg_backend_pid()" >/dev/null
wait $holder 2>/dev/null
is "prune was killed at its work" "$status $(sql "select count(*) between 1 and 54 from dmarc_store.report where day < date '$now' - interval '5 months'")" "137 t"
run prune --keep 2m --yes
wait
check "prune beside readers, after one that was killed" 0 '*' ''
is "took the rest" "$(sql "select count(*) from dmarc_store.report where day < date '$now' - interval '5 months'")" 0
is "no reader failed" "$(cat "$dir"/readers.* "$dir"/reader.[123])" ""
holds "after that, too"
finish
