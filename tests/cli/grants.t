#!/bin/bash
# grant and revoke, and what a customer sees, who logs in himself: his domains everywhere, and nothing of his neighbour.
. tests/lib/cli_database.sh grants

report() {
    cat <<XML
<?xml version="1.0"?>
<feedback>
 <report_metadata><org_name>$3</org_name><email>dmarc@$3</email><report_id>$1</report_id>
  <date_range><begin>$(date -ud "$2" +%s)</begin><end>$(($(date -ud "$2" +%s) + 86399))</end></date_range></report_metadata>
 <policy_published><domain>$4</domain><p>none</p></policy_published>
 <record><row><source_ip>$5</source_ip><count>3</count>
   <policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>fail</spf>
    <reason><type>local_policy</type><comment>said of $4</comment></reason></policy_evaluated></row>
  <identifiers><header_from>$4</header_from></identifiers>
  <auth_results><dkim><domain>$4</domain><selector>s-$4</selector><result>fail</result></dkim>
   <spf><domain>bounce.$4</domain><result>softfail</result></spf></auth_results></record>
</feedback>
XML
}

mkdir "$dir/in"
for i in 1 2 3; do
    report "mine$i" "2026-10-0$i" reporter.example mine.example "192.0.2.$i" >"$dir/in/m$i.xml"
    for j in 1 2 3 4; do report "other$i.$j" "2026-10-0$i" secretive.example neighbour.example "198.51.100.$i" >"$dir/in/n$i$j.xml"; done
done
run ingest --quiet "$dir/in"
for domain in mine.example neighbour.example; do
    for name in $domain mail.$domain; do
        sql "insert into dmarc_store.failure_report (domain, day, identity, content, reporter, arrived, incidents, subject)
             values ('$name', '2026-10-01', md5('$name')::uuid, md5('$name')::uuid, '', '2026-10-01', 1, 'subject of $name')"
    done
    sql "with t as (insert into dmarc_store.tls_report (domain, day, identity, content, reporter, report_id, period_begin, period_end, policy_count, failure_count, id_collision)
                    values ('$domain', '2026-10-01', md5('$domain')::uuid, md5('$domain')::uuid, 'r', 't', '2026-10-01', '2026-10-02', 1, 1, false) returning id),
              p as (insert into dmarc_store.tls_policy (domain, day, report, ordinal, policy_type) select '$domain', '2026-10-01', t.id, 1, 'sts' from t)
         insert into dmarc_store.tls_failure (domain, day, report, policy, ordinal, result_type) select '$domain', '2026-10-01', t.id, 1, 1, 'x' from t"
done
# A name below a domain of one that is the other's.
sql "insert into dmarc_store.failure_report (domain, day, identity, content, reporter, arrived, incidents, subject)
     values ('neighbour.mine.example', '2026-10-01', md5('s')::uuid, md5('s')::uuid, '', '2026-10-01', 1, 'secret')"
sql "insert into dmarc.sender (key, name, kind) values ('ours', 'Server of neighbour.example', 'own');
     insert into dmarc.sender_rule (kind, pattern, sender) values ('spf_domain', 'neighbour.example', 'ours')"
sql "analyze"

# ---- the commands ----

run grant
check "no role" 64 '' 'no role is named'
run grant customer
check "no domain" 64 '' 'no domain is named.*|--group NAME'
run grant customer --domain mine.example
check "no such role" 66 '' "hint: CREATE ROLE customer LOGIN"
sql 'create role customer login; create role neighbour login; create role member login in role customer; create role reader login in role whosends_read;
     create role web login noinherit; grant customer, whosends_read to web'
sql "create role \"o'dd; --\" login"
run grant customer --domain 'a b'
check "no domain that can be one" 64 '' 'cannot be a domain'
run grant customer --domain MINE.Example.
check "grant" 0 '^role customer may read about mine.example$' ''
run grant customer --domain mine.example --domain bücher.example
check "and one more" 0 '^role customer may read about mine.example, xn--bcher-kva.example$' ''
run grant neighbour --domain neighbour.example --domain neighbour.mine.example
run grant reader --domain mine.example
check "who may read everything" 0 'may read about mine.example$' 'all domains by another membership'
run revoke reader
check "revoke of all" 0 '^role reader may read about no domain$' ''
run grant "o'dd; --" --domain mine.example
check "a role of an odd name" 0 "^role o'dd; -- may read" ''
run revoke "o'dd; --"
check "which goes again" 0 "no domain" ''
run revoke customer --domain BÜCHER.example
check "revoke of one" 0 '^role customer may read about mine.example$' ''
run grants --format csv
check "grants" 0 '^customer,mine.example,' ''
is "all of them" "$(sed 1d "$dir/out" | cut -d, -f1,2 | paste -sd' ')" "customer,mine.example neighbour,neighbour.example neighbour,neighbour.mine.example"
status=0
"$program" --database "$PG_CONNINFO user=customer" grant customer --domain neighbour.example >"$dir/out" 2>"$dir/err" || status=$?
check "a customer grants nothing" 78 '' 'permission denied'

# ---- what he sees ----

as() { psql -X -q -A -t -U "$1" -c "$2" 2>&1; }
# The setting has another name since PostgreSQL 16.
parallel="do \$\$ begin perform set_config(name, 'on', false) from pg_settings where name in ('force_parallel_mode', 'debug_parallel_query'); end \$\$"
views=$(sql "select relname from pg_class where relnamespace = 'dmarc_own'::regnamespace and relkind = 'v' order by 1")
is "the views were found" "$(echo "$views" | wc -l)" 15
is "each has its comments" "$(sql "select count(*) from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
    where relnamespace = 'dmarc_own'::regnamespace and (col_description(c.oid, a.attnum) is null or obj_description(c.oid, 'pg_class') is null)")" 0
for view in $views; do
    case $view in
    sender | sender_rule) is "$view: what comes with the program" "$(as customer "select count(*) > 100, bool_or(origin <> 'builtin') from dmarc_own.$view")" "t|f" ;;
    *)
        is "$view: his rows" "$(as customer "select distinct domain from dmarc_own.$view")" mine.example
        is "$view: as many as there are" "$(as customer "select count(*) from dmarc_own.$view")" "$(sql "select count(*) from dmarc.$view where domain = 'mine.example'")"
        is "$view: a member of him, too" "$(as member "select count(*) from dmarc_own.$view")" "$(as customer "select count(*) from dmarc_own.$view")"
        is "$view: as who may do more" "$(as web "set role customer; $parallel; select distinct domain from dmarc_own.$view")" mine.example
        ;;
    esac
done
functions="senders sources reporters disagreements timeline failures summary failure_samples tls"
for function in $functions; do
    is "$function: of all is of his" "$(as customer "select * from dmarc.$function()" | grep -c 'neighbour\|198.51.100\|secret')" 0
    is "$function: of his neighbour" "$(as customer "select count(*) from dmarc.$function('neighbour.example')")" 0
    test $function = disagreements || is "$function: of his" "$(as customer "select count(*) > 0 from dmarc.$function('Mine.example')")" t
    is "$function: as who may do more" "$(as web "set role customer; $parallel; select count(*) from dmarc.$function('neighbour.example')")" 0
done
is "addresses" "$(as customer "select distinct domain from dmarc.addresses('0.0.0.0/0')")" mine.example
is "addresses of his neighbour" "$(as customer "select count(*) from dmarc.addresses('198.51.100.0/24')")" 0
is "records" "$(as customer "select distinct domain from dmarc.find_records()")" mine.example
is "records of his neighbour" "$(as customer "select count(*) from dmarc.find_records('198.51.100.0/24')") $(as customer "select count(*) from dmarc.find_records(policy_domain => 'neighbour.example')")" "0 0"
is "failure reports of names below, but not of one that is somebody else's" "$(as customer "select string_agg(domain, ' ' order by domain) from dmarc.failure_samples()")" "mail.mine.example mine.example"
is "who is that one's" "$(as neighbour "select string_agg(domain, ' ' order by domain) from dmarc.failure_samples()")" "mail.neighbour.example neighbour.example neighbour.mine.example"
for name in $functions; do
    test $name = disagreements || test $name = failure_samples || {
        status=0
        "$program" --database "$PG_CONNINFO user=customer" $name --format csv >"$dir/out" 2>"$dir/err" || status=$?
        check "whosends $name as a customer" 0 '*' ''
        is "whosends $name: nothing of others" "$(grep -c neighbour "$dir/out")" 0
    }
done

# ---- and what he tries ----

# nothing NAME SQL: what he gets holds nothing of his neighbour
nothing() {
    as customer "$2" >"$dir/out"
    is "$1" "$(grep -Eic 'neighbour|198\.51\.100|secret' "$dir/out" || true)" 0
}
leak="create function pg_temp.leak(t text) returns boolean language plpgsql cost 0.0000001 as 'begin raise notice ''leak: %'', t; return true; end'"
for view in $views; do
    nothing "$view: a function of his own in WHERE" "$leak; select count(*) from dmarc_own.$view v where pg_temp.leak(v::text)"
    is "$view: that function saw his rows" "$(grep -c leak: "$dir/out" | sed 's/^[1-9].*/some/')" some
    nothing "$view: errors of casts" "select count(*) from dmarc_own.$view v where v::text::int = 1"
    nothing "$view: EXPLAIN ANALYZE" "explain (analyze, verbose, buffers) select * from dmarc_own.$view v where v::text like '%x%'"
done
for name in neighbour.example stranger1.example; do
    for view in report record daily classification document; do
        as customer "explain (analyze, timing off, summary off, buffers) select * from dmarc_own.$view where domain = '$name'" | sed "s/$name/NAME/g; s/(cost[^)]*)//"
    done >"$dir/plans.$name"
    for view in report record daily; do
        as customer "explain select * from dmarc_own.$view where domain = '$name' and day > '2026-10-01'" | sed "s/$name/NAME/g"
    done >>"$dir/plans.$name"
    for function in $functions; do as customer "explain (analyze, timing off, summary off, buffers) select * from dmarc.$function('$name')" | sed "s/$name/NAME/g"; done >>"$dir/plans.$name"
done
diff "$dir/plans.neighbour.example" "$dir/plans.stranger1.example" | head -n 6 | sed 's/^/# /'
is "EXPLAIN says the same of a domain that is there and of one that is not" "$(cmp "$dir/plans.neighbour.example" "$dir/plans.stranger1.example" && grep -c 'Scan' "$dir/plans.stranger1.example" | sed 's/^[1-9].*/some/')" some

# refused NAME SQL
refused() { is "$1" "$(as customer "$2" | grep -c 'permission denied\|must be\|cannot set\|does not exist\|not visible')" 1; }
for view in $(sql "select relname from pg_class where relnamespace = 'dmarc'::regnamespace and relkind = 'v'"); do
    refused "dmarc.$view is not for him" "select * from dmarc.$view"
done
for table in $(sql "select relname from pg_class where relnamespace = 'dmarc_store'::regnamespace and relkind in ('r', 'p', 'v', 'S')"); do
    refused "dmarc_store.$table is not for him" "select * from dmarc_store.$table"
done
is "the functions that he may call" "$(as customer "select string_agg(p.proname, ' ' order by p.proname) from pg_proc p
    where p.pronamespace = 'dmarc'::regnamespace and has_function_privilege(p.oid, 'execute')")" \
    "addresses approvals changes coverage disagreements explain failure_samples failures find_records first_of last_of networks overrides policies reader reporters senders senders_new sources subdomains summary timeline tls use_group verdict verdict_line visible"
refused "a table behind, by its partition" "select * from dmarc_store.report_202610"
refused "what others were granted" "select * from dmarc.grants()"
refused "the ledger" "select * from dmarc.status()"
refused "a mail" "select * from dmarc.find_mail('1')"
refused "a grant for himself" "insert into dmarc_store.domain_grant (domain, role) values ('neighbour.example', 'customer')"
refused "a domain for a group" "insert into dmarc_store.domain_group (domain, name) values ('neighbour.example', 'shops')"
refused "... by its function" "select dmarc_store.join_group('shops', '{neighbour.example}')"
refused "another role" "set role whosends_read"
refused "another session" "set session authorization neighbour"
refused "another role for a function" "create function pg_temp.f() returns text[] language sql set role = 'neighbour' as 'select dmarc.visible()'; select pg_temp.f()"
refused "a view of his own on the tables" "create temp view v as select * from dmarc_store.report"
is "a function of his own that does as its owner" "$(as customer "create function pg_temp.f() returns text[] language sql security definer as 'select dmarc.visible()'; select pg_temp.f()")" "{mine.example}"
is "which shows the same to another one" "$(sql "create schema lair authorization customer")$(as customer "create function lair.f() returns text[] language sql security definer as 'select dmarc.visible()'; grant usage on schema lair to public")$(as neighbour "select lair.f()")" "{neighbour.example,neighbour.mine.example}"
is "functions of another schema change nothing" "$(as customer "create function lair.lower(text) returns text language sql as 'select ''neighbour.example'''; set search_path = lair, pg_catalog, dmarc; select count(*) from senders('mine.example') where domain <> 'mine.example'")" 0
is "statistics" "$(as customer "select count(*) from pg_stats where schemaname like 'dmarc%' and tablename not in ('schema_version', 'repeatable')")" 0
is "statistics of several columns" "$(as customer "select count(*) from pg_stats_ext where schemaname like 'dmarc%'")" 0
is "nothing of his neighbour in what everybody may read" "$(as customer "select count(*) from pg_class where relname like '%neighbour%'")" 0

# ---- a grant of a group, which follows the group ----

sql 'create role grouped login; create role below login'
run grant grouped --group shops
check "no such group" 64 '' "there is no group 'shops'"
run group shops add mine.example
check "a group that nobody is granted" 0 '^1 domain added$' ''
is "... of which nothing more is said" "$(wc -l <"$dir/out")" 1
run grant grouped --group shopz
check "a group mistyped" 64 '' "did you mean 'shops'"
run grant grouped --group 'a"b'
check "no group that can be one" 64 '' 'cannot be the name of a group'
run grant grouped --group shops
check "grant of a group" 0 '^role grouped may read about mine\.example \(group shops\)$' ''
for view in $views; do
    case $view in
    sender | sender_rule) ;;
    *) is "$view: rows of the group alone" "$(as grouped "select distinct domain from dmarc_own.$view")" mine.example ;;
    esac
done
for function in $functions; do
    is "$function: of all is of the group" "$(as grouped "select * from dmarc.$function()" | grep -c 'neighbour\|198.51.100\|secret')" 0
    is "$function: of his neighbour" "$(as grouped "select count(*) from dmarc.$function('neighbour.example')")" 0
done
seen() { as "$1" "select string_agg(domain, ' ' order by domain) from dmarc.summary()"; }
run group shops add neighbour.example
check "a domain that joins" 0 '^1 domain added$' ''
is "... is told whom it is shown to" "$(tail -n 1 "$dir/out")" "group shops is granted to grouped"
is "... and is seen" "$(seen grouped)" "mine.example neighbour.example"
is "... by nobody else" "$(seen customer)" mine.example
run group shops remove neighbour.example
is "a domain that leaves is not seen any more" "$(seen grouped)" mine.example
is "reports of the group" "$("$program" --database "$PG_CONNINFO user=grouped" summary --group shops --format csv | sed 1d | cut -d, -f1)" mine.example
run grant grouped --domain mine.example --domain third.example
check "domains beside" 0 '^role grouped may read about mine\.example, mine\.example \(group shops\), third\.example$' ''
is "... are seen once" "$(as grouped "select cardinality(dmarc.visible())")" 2
run grants --format csv
is "grants tells by which group" "$(sed 1d "$dir/out" | cut -d, -f1,2,4,5 | grep grouped | paste -sd' ')" \
    "grouped,mine.example,true, grouped,mine.example,true,shops grouped,third.example,true,"
run revoke grouped --domain mine.example --domain third.example
check "revoke of a domain leaves what the group has" 0 '^role grouped may read about mine\.example \(group shops\)$' ''
run group shops remove mine.example
check "the last domain leaves" 0 '^1 domain removed$' ''
is "nothing is seen" "$(seen grouped)" ""
run grants
check "... which grants tells" 0 '^grouped  *shops ' ''
run group shops add mine.example
is "a group that is made anew is the same group" "$(seen grouped)" mine.example
run group mails add mail.mine.example
run grant below --group mails
is "a name below belongs to whose group it is in" "$(as below "select string_agg(domain, ' ') from dmarc.failure_samples()"), $(
    as customer "select string_agg(domain, ' ') from dmarc.failure_samples()")" "mail.mine.example, mine.example"
run revoke below
check "revoke without more takes groups, too" 0 '^role below may read about no domain$' ''
run revoke grouped --group mails
check "revoke of another group" 0 'mine\.example \(group shops\)$' ''
run revoke grouped --group shops
check "revoke of a group" 0 '^role grouped may read about no domain$' ''
is "he may ask nothing" "$(as grouped 'select * from dmarc.senders()' | grep -c 'permission denied')" 1

# What an index of his is made of runs as him, but in the session of whoever looks after the tables.
sql "create schema den authorization customer" && sql "alter system set autovacuum_naptime = '1s'" && sql 'select pg_reload_conf()' >/dev/null
as customer "create table den.loot (domain text); create table den.bait (i int);
    create function den.take() returns void language plpgsql as 'begin insert into den.loot select domain from dmarc.summary(); end';
    create function den.f(i int) returns int language plpgsql immutable as 'begin perform den.take(); return i; end';
    create index on den.bait (den.f(i)); truncate den.loot;
    alter table den.bait set (autovacuum_analyze_threshold = 1, autovacuum_analyze_scale_factor = 0); insert into den.bait select generate_series(1, 9)" >/dev/null
for _ in $(seq 200); do
    test "$(sql "select autoanalyze_count > 0 from pg_stat_user_tables where relname = 'bait'")" = t && break
    sleep 0.1
done
is "autovacuum shows him nothing more" "$(sql "select autoanalyze_count > 0 from pg_stat_user_tables where relname = 'bait'") $(sql "select count(*) from den.loot where domain <> 'mine.example'")" "t 0"
for call in 'dmarc.failure_samples()' "dmarc.verdict('neighbour.example')" "unnest(dmarc.visible())"; do
    is "nor do plans that he asks for: $call" "$(as customer "set client_min_messages = log; set debug_print_plan = on; select count(*) from $call" | grep -c 'LOG: *plan:')" 1
done
sql 'drop schema den cascade' >/dev/null 2>&1

run revoke customer
check "without a grant" 0 'no domain' ''
is "he sees no view" "$(as customer 'select * from dmarc_own.report' | grep -c 'permission denied')" 1
is "and may ask nothing" "$(as customer 'select * from dmarc.senders()' | grep -c 'permission denied')" 1
is "others go on" "$(as neighbour 'select count(*) from dmarc_own.report')" 12
sql 'drop schema lair cascade; drop role neighbour' >/dev/null 2>&1
run grants --format csv
check "a role that is gone is told" 0 '^neighbour,neighbour.example,.*,(f|false|no)' ''
run revoke neighbour
check "and can be revoked" 0 'no domain' ''
finish
