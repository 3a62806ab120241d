#include "db/ids.h"

#define IDS_AT_ONCE 500 /* most ids asked for in one query */

void ids_init(struct ids *ids, const char *sql)
{
    ids->sql = sql;
    ids->numbers = g_array_new(FALSE, FALSE, sizeof(gint64));
    ids->next = 0;
    ids->pack = 1;
}

void ids_clear(struct ids *ids)
{
    g_array_unref(ids->numbers);
}

gboolean ids_take(struct ids *ids, struct db *db, gint64 *id_r, GError **error)
{
    if (ids->next == ids->numbers->len) {
        g_autofree char *count = g_strdup_printf("%u", ids->pack);
        const char *values[] = {count};
        struct db_result *result = db_query(db, "taking numbers", ids->sql, 1, values, error);
        if (!result)
            return FALSE;
        g_array_set_size(ids->numbers, 0);
        for (guint i = 0; i < db_rows(result); i++) {
            gint64 id = db_int(result, i, 0);
            g_array_append_val(ids->numbers, id);
        }
        db_result_free(result);
        ids->next = 0;
        ids->pack = MIN(ids->pack * 8, IDS_AT_ONCE);
    }
    *id_r = g_array_index(ids->numbers, gint64, ids->next++);
    return TRUE;
}
