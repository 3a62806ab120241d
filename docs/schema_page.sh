#!/bin/bash
# Writes docs/whosends-schema.7.scd anew: what stands above its mark, then the views and functions of the database that psql finds
# by its environment, as their comments describe them. With --check it changes nothing, and shows what would.
set -eu
cd "$(dirname "$0")/.."
page=docs/whosends-schema.7.scd mark='; From here on made by docs/schema_page.sh'

escaped()
{
    sed -e 's/[\\*_#|]/\\&/g'
}

list()
{
    local kind name text
    psql -X -A -t -F $'\t' <<'END' |
WITH part AS (
    SELECT 1 AS section, c.relname::text AS name, 0 AS n, 'view' AS kind, obj_description(c.oid, 'pg_class') AS said
    FROM pg_class c WHERE c.relnamespace = 'dmarc'::regnamespace AND c.relkind = 'v'
    UNION ALL
    SELECT 1, c.relname, a.attnum, 'column', a.attname || E'\u001f' || format_type(a.atttypid, NULL) || E'\u001f' || col_description(c.oid, a.attnum)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = 'dmarc'::regnamespace AND c.relkind = 'v'
    UNION ALL
    SELECT 2, p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', 0, 'function', obj_description(p.oid, 'pg_proc')
    FROM pg_proc p WHERE p.pronamespace = 'dmarc'::regnamespace
)
SELECT section, kind, CASE kind WHEN 'column' THEN '-' ELSE name END, replace(said, E'\n', ' ') FROM part
ORDER BY section, name COLLATE "C", n
END
        while IFS=$'\t' read -r section kind name text; do
            if [ "$section $kind" = '1 view' ] && [ -z "${views:-}" ]; then
                views=1
                printf '# VIEWS\n'
            elif [ "$section" = 2 ] && [ -z "${functions:-}" ]; then
                functions=1
                printf '\n# FUNCTIONS\n'
            fi
            case $kind in
            view) printf '\n## %s\n\n%s.\n\n' "$(escaped <<<"$name")" "$(escaped <<<"$text")" ;;
            column)
                IFS=$'\x1f' read -r column type said <<<"$text"
                printf '*%s* %s\n\t%s\n\n' "$(escaped <<<"$column")" "$(escaped <<<"$type")" "$(escaped <<<"$said")"
                ;;
            function) printf '\n*%s*\n\t%s\n' "$(escaped <<<"$name")" "$(escaped <<<"$text")" ;;
            esac
        done | cat -s
}

made=$(sed "\\|^$mark|q" "$page" && list)
if [ "${1:-}" = --check ]; then
    diff "$page" - <<<"$made"
else
    printf '%s\n' "$made" >"$page"
fi
