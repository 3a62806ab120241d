#!/bin/bash
# The table of deviations: what reporters really send, row by row, and that each row comes out as its rule says.
#
# tests/deviations.txt lists the codes with their rules. Evidence for a code is a vector of a unit test that names it
# ("# deviation R2 pass"), or a case of tests/lib/deviation_mails.py, which the program reads from the mail to the database.
# A code without evidence fails, and so does one that only fails somewhere.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib/postgres.sh
. tests/lib/whole.sh

dir=$(mktemp -d)
trap 'pg_stop; rm -rf "$dir"' EXIT

# ingest TITLE ARGUMENT...
ingest()
{
    build/whosends --database "$PG_CONNINFO" ingest --quiet "${@:2}" >"$dir/out" 2>&1
    local status=$?
    # 65: among them are problems, as there should be.
    [ $status = 0 ] || [ $status = 65 ]
    ok $? "$1" "$(head "$dir/out")"
}

# The list is whole, and nothing names a code that is not in it.
for range in C:34 H:9 X:21 M:21 P:14 R:22 I:8 A:20; do
    for ((i = 1; i <= ${range#*:}; i++)); do echo "${range%:*}$i"; done
done >"$dir/codes"
cut -f 1 tests/deviations.txt | diff "$dir/codes" - >"$dir/diff"
ok $? "the list has every code, once and in order" "$(head -n 5 "$dir/diff")"
[ "$(grep -Pc '^[A-Z]\d+\t\S.{8,}$' tests/deviations.txt)" = "$(wc -l <"$dir/codes")" ]
ok $? "each has its rule"

# What the unit tests say.
for file in $(grep -l unit_deviation tests/unit/test_*.c); do
    test=build/tests/$(basename "$file" .c).t
    timeout 120 "$test" >"$dir/out" 2>&1
    ok $? "$test"
    sed -n 's/^# deviation //p' "$dir/out" >>"$dir/evidence"
done

# What the whole program does.
chmod 755 "$dir"
mkdir "$dir/mails" "$dir/pg"
tests/lib/deviation_mails.py "$dir/mails" >"$dir/cases" && pg_start "$dir/pg" && pg_newdb deviations || exit 1
build/whosends --database "$PG_CONNINFO" init >"$dir/out" 2>&1
ok $? "the schema is installed" "$(cat "$dir/out")"
mkdir "$dir/others" "$dir/later" && mv "$dir/mails/P14" "$dir/others"
(cd "$dir/mails" && find . -name '*later*' -exec cp --parents -t ../later {} \; -delete)
ingest "the mails are read" "$dir/mails"
ingest "and those that come later" "$dir/later"
ingest "and those about domains that are not all ours" --set whosends.domains=p14.example "$dir/others"

psql -X -q -A -t -F $'\t' >"$dir/ledger" <<'SQL'
CREATE TEMP TABLE mail AS
    SELECT m.*, replace(split_part(reverse(split_part(reverse(m.source), '/', 2)), '/', 1), '_', ' ') AS name FROM dmarc_store.message m;
CREATE TEMP TABLE found AS
    SELECT DISTINCT m.name, r.id, r.record_count, r.message_count, r.warnings FROM mail m
    JOIN dmarc_store.document d ON d.message = m.id AND d.mail_sha256 = m.sha256
    JOIN dmarc_store.report r ON r.id = d.report AND r.domain = d.domain AND r.day = d.day WHERE NOT r.replaced AND d.kind = 'aggregate';
SELECT m.name,
       (SELECT string_agg(o.outcome, ' ' ORDER BY o.outcome DESC) FROM mail o WHERE o.name = m.name) || ' | ' ||
       (SELECT concat_ws('/', count(*), coalesce(sum(record_count), 0), coalesce(sum(message_count), 0)) FROM found f WHERE f.name = m.name) || ' | ' ||
       coalesce((SELECT string_agg(DISTINCT w, ',') FROM (
           SELECT unnest(f.warnings) AS w FROM found f WHERE f.name = m.name
           UNION SELECT unnest(d.warnings) FROM mail o JOIN dmarc_store.document d ON d.message = o.id WHERE o.name = m.name) w), '-') || ' | ' ||
       coalesce((SELECT string_agg(DISTINCT c, ',') FROM (
           SELECT d.code AS c FROM mail o JOIN dmarc_store.document d ON d.message = o.id WHERE o.name = m.name
           UNION SELECT o.code FROM mail o WHERE o.name = m.name) c), '-')
FROM (SELECT DISTINCT name FROM mail) m;
SQL

# A field "*" is anything.
fits()
{
    local IFS='|' i got wanted
    read -ra got <<<"$1"
    read -ra wanted <<<"$2"
    [ ${#got[@]} = ${#wanted[@]} ] || return 1
    for i in "${!wanted[@]}"; do
        [[ ${wanted[i]} =~ ^\ *\*\ *$ ]] || [ "${got[i]}" = "${wanted[i]}" ] || return 1
    done
}

while IFS=$'\t' read -r name wanted sql answer; do
    got=$(grep -P "^\Q$name\E\t" "$dir/ledger" | cut -f 2)
    said=$([ -z "$sql" ] || psql -X -A -t -c "$sql" 2>&1 | tr '\n' ' ' | sed 's/ $//')
    fits "$got" "$wanted" && [ "$said" = "$answer" ]
    status=$?
    ok $status "$name, from the mail to the database" "ledger: $got" "wanted: $wanted" "answer: $said" "wanted: $answer"
    echo "${name%% *} $([ $status = 0 ] && echo pass || echo FAIL)" >>"$dir/evidence"
done <"$dir/cases"

# Whatever it was, it reads the same once more.
build/whosends --database "$PG_CONNINFO" reparse >"$dir/out" 2>&1
grep -q ' read again: 0 changed; .* 0 changed, 0 new; 0 mails left' "$dir/out"
ok $? "reparse: nothing is different" "$(tail -n 1 "$dir/out")"

cut -d ' ' -f 1 "$dir/evidence" | sort -u | grep -vxFf "$dir/codes" >"$dir/strangers"
[ ! -s "$dir/strangers" ]
ok $? "no test names a code that the list does not have" "$(cat "$dir/strangers")"

# The table: to people on standard error, to prove as one test for each code.
row=
while IFS=$'\t' read -r code rule; do
    grep -qx "$code pass" "$dir/evidence" && ! grep -qx "$code FAIL" "$dir/evidence"
    status=$?
    ok $status "$code: $rule"
    row+=$(printf '%5s %-5s' "$code" "$([ $status = 0 ] && echo pass || echo FAIL)")
    if [ ${#row} -ge 88 ]; then echo "$row" >&2 && row=; fi
done <tests/deviations.txt >"$dir/table"
[ -z "$row" ] || echo "$row" >&2
cat "$dir/table"
echo "1..$n"
exit $failed
