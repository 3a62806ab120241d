#include "db/schema_look.h"

#include "db/schema.h"

#include <string.h>

static const char definitions[] =
    "SELECT 'functions', p.oid::regprocedure::text, md5(pg_get_functiondef(p.oid) || "
    "coalesce(obj_description(p.oid, 'pg_proc'), '')) FROM pg_catalog.pg_proc p"
    " JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace"
    " WHERE n.nspname IN ('dmarc', 'dmarc_store') AND p.prokind = 'f'"
    " UNION ALL SELECT 'views', c.oid::regclass::text, md5(pg_get_viewdef(c.oid)"
    " || coalesce(obj_description(c.oid, 'pg_class'), '')) FROM pg_catalog.pg_class c"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname IN ('dmarc', 'dmarc_store') AND c.relkind = 'v'";
static const char catalogue[] =
    "SELECT 'senders', s.key::text, md5(s::text) FROM dmarc.sender s WHERE s.origin = 'builtin'"
    " UNION ALL SELECT 'rules', r.kind || ' ' || r.pattern, md5(r::text) FROM dmarc.sender_rule r"
    " WHERE r.origin = 'builtin'";
static const char *const kinds[] = {"views", "functions", "senders", "rules"};

static gboolean look(struct db *db, const char *sql, GHashTable *found, GError **error)
{
    struct db_result *result = db_query(db, "looking at what is there", sql, 0, NULL, error);
    for (guint i = 0; result && i < db_rows(result); i++)
        g_hash_table_insert(found, g_strdup_printf("%s %s", db_value(result, i, 0), db_value(result, i, 1)),
                            g_strdup(db_value(result, i, 2)));
    db_result_free(result);
    return result != NULL;
}

GHashTable *schema_look(struct db *db, GError **error)
{
    GHashTable *found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    struct db_result *there =
        db_query(db, "looking for the catalogue", "SELECT to_regclass('dmarc.sender_rule')", 0, NULL, error);
    gboolean ok = there && look(db, definitions, found, error) &&
                  (!db_value(there, 0, 0) || look(db, catalogue, found, error));
    db_result_free(there);
    if (!ok)
        g_clear_pointer(&found, g_hash_table_unref);
    return found;
}

/* How many of one kind are in `one` and not in `other`; *changed_r gets those that are in both and differ. */
static guint count(const char *kind, GHashTable *one, GHashTable *other, guint *changed_r)
{
    GHashTableIter iter;
    gpointer name, hash;
    guint missing = 0;
    *changed_r = 0;
    g_hash_table_iter_init(&iter, one);
    while (g_hash_table_iter_next(&iter, &name, &hash)) {
        gsize length = strlen(kind);
        if (strncmp(name, kind, length) != 0 || ((const char *)name)[length] != ' ')
            continue;
        const char *its = g_hash_table_lookup(other, name);
        missing += its ? 0 : 1;
        *changed_r += its && strcmp(its, hash) != 0 ? 1 : 0;
    }
    return missing;
}

char *schema_differences(GHashTable *before, GHashTable *after)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        guint changed, fresh = count(kinds[i], after, before, &changed);
        guint gone = count(kinds[i], before, after, &changed);
        const struct {
            guint n;
            const char *word;
        } counts[] = {{fresh, "new"}, {changed, "changed"}, {gone, "gone"}};
        gboolean first = TRUE;
        for (guint c = 0; c < G_N_ELEMENTS(counts); c++) {
            if (!counts[c].n)
                continue;
            if (first)
                g_string_append_printf(out, "%s%s:", out->len ? "; " : "", kinds[i]);
            g_string_append_printf(out, "%s %u %s", first ? "" : ",", counts[c].n, counts[c].word);
            first = FALSE;
        }
    }
    if (!out->len)
        g_string_append(out, "nothing");
    return g_string_free(out, FALSE);
}

gint64 schema_rows_changed(struct db *db, GError **error)
{
    static const char sql[] =
        "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint"
        " FROM pg_catalog.pg_stat_xact_user_tables WHERE schemaname IN ('dmarc', 'dmarc_store')";
    struct db_result *result = db_query(db, "counting changed rows", sql, 0, NULL, error);
    gint64 rows = result ? db_int(result, 0, 0) : -1;
    db_result_free(result);
    return rows;
}

char *schema_in_the_way(struct db *db)
{
    static const char sql[] =
        "SELECT concat('process ', a.pid, ' (', concat_ws(', ', a.usename, nullif(a.application_name, ''),"
        " a.state, 'since ' || date_trunc('second', now() - a.xact_start)), ')')"
        " FROM pg_catalog.pg_stat_activity a WHERE a.pid <> pg_backend_pid() AND a.pid IN"
        " (SELECT l.pid FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_class c ON c.oid = l.relation"
        " WHERE l.granted AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d"
        " WHERE d.datname = current_database()) AND"
        " (c.relnamespace IN (SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname IN ('dmarc', "
        "'dmarc_store')) OR l.locktype = 'advisory' AND l.classid = 0 AND l.objid = " SCHEMA_WRITERS "))"
        " ORDER BY a.xact_start NULLS LAST LIMIT 1";
    struct db_result *result = db_query(db, "looking who is in the way", sql, 0, NULL, NULL);
    char *who = g_strdup(result && db_rows(result) ? db_value(result, 0, 0) : "somebody who is gone");
    db_result_free(result);
    return who;
}
