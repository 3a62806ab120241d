#include "db/known.h"

#include "db/ledger.h"
#include "parser/sha256.h"

/* An element of a PostgreSQL array in its text form. */
static void array_element(GString *array, const char *text)
{
    g_string_append(array, array->len > 1 ? ",\"" : "\"");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            g_string_append_c(array, '\\');
        g_string_append_c(array, *text);
    }
    g_string_append_c(array, '"');
}

static void array_hash(GString *array, const guint8 *sha256)
{
    char hex[SHA256_HEX];
    sha256_hex(sha256, hex);
    g_string_append(array, array->len > 1 ? ",\"\\\\x" : "\"\\\\x");
    g_string_append_len(array, hex, sizeof hex - 1);
    g_string_append_c(array, '"');
}

static enum outcome outcome_from(const char *word)
{
    for (int i = 0; i < 4; i++)
        if (!g_strcmp0(word, outcome_words[i]))
            return (enum outcome)i;
    return OUTCOME_PROBLEM;
}

/* The same source as that of q: the mail itself, or one that came after a run had begun. */
#define SAME                                                                                                 \
    "((q.identity AND m.identity OR coalesce(m.ingested_at >= $4::timestamptz, false)) AND m.source = "      \
    "q.source)"
#define ASKED "unnest($1::bytea[], $2::text[], $3::bool[]) WITH ORDINALITY AS q (sha256, source, identity, i)"
#define TELLING "(m.outcome IN ('stored', 'duplicate') OR " SAME ")"
/* From row to row where all is in one place; by the list of hashes where it is on many nodes. */
#define KNOWN(stored)                                                                                        \
    "SELECT q.i, k.outcome, k.same FROM " ASKED " CROSS JOIN LATERAL (SELECT m.outcome, " SAME               \
    " AS same FROM " stored " m WHERE m.sha256 = q.sha256 AND " TELLING                                      \
    " ORDER BY same DESC, m.id LIMIT 1) AS k"
static const char *const known_sql[2] = {
    KNOWN("dmarc_store.message"),
    "WITH q AS MATERIALIZED (SELECT q.sha256, q.source, q.identity, q.i FROM " ASKED
    ") SELECT DISTINCT ON (q.i) q.i, m.outcome, " SAME " AS same"
    " FROM dmarc_store.message m JOIN q ON q.sha256 = m.sha256"
    " WHERE m.sha256 = ANY ($1::bytea[]) AND " TELLING " ORDER BY q.i, same DESC, m.id",
};

static struct db_result *ask_known(struct db *db, gboolean distributed, guint n, const guint8 *const *sha256,
                                   const char *const *sources, const gboolean *identities, const char *since,
                                   GError **error)
{
    GString *arrays[3];
    for (guint a = 0; a < 3; a++)
        arrays[a] = g_string_new("{");
    for (guint i = 0; i < n; i++) {
        g_autofree char *source = g_utf8_make_valid(sources[i], -1);
        array_hash(arrays[0], sha256[i]);
        array_element(arrays[1], source);
        array_element(arrays[2], identities[i] ? "t" : "f");
    }
    for (guint a = 0; a < 3; a++)
        g_string_append_c(arrays[a], '}');
    const char *values[] = {arrays[0]->str, arrays[1]->str, arrays[2]->str, since};
    struct db_result *result =
        db_query(db, "looking for known mails", known_sql[distributed], 4, values, error);
    for (guint a = 0; a < 3; a++)
        g_string_free(arrays[a], TRUE);
    return result;
}

gboolean known_mails(struct db *db, gboolean distributed, guint n, const guint8 *const *sha256,
                     const char *const *sources, const gboolean *identities, const char *since,
                     int *outcomes_r, gboolean *resumed_r, GError **error)
{
    for (guint i = 0; i < n; i++) {
        outcomes_r[i] = -1;
        resumed_r[i] = FALSE;
    }
    if (!n)
        return TRUE;
    struct db_result *result = ask_known(db, distributed, n, sha256, sources, identities, since, error);
    for (guint row = 0; result && row < db_rows(result); row++) {
        guint i = (guint)db_int(result, row, 0) - 1;
        outcomes_r[i] = (int)outcome_from(db_value(result, row, 1));
        resumed_r[i] = db_value(result, row, 2)[0] == 't';
    }
    db_result_free(result);
    return result != NULL;
}
