#include "db/place.h"

/* Any number will do, as long as every version of the program takes the same. */
#define LOCKS "7710423"

gboolean place_load(struct db *db, const char *mailbox, guint32 *uidvalidity, guint32 *uid, GError **error)
{
    const char *const values[] = {mailbox};
    struct db_result *result =
        db_query(db, "how far a mailbox was read",
                 "SELECT uidvalidity, uid FROM dmarc_store.mailbox WHERE mailbox = $1", 1, values, error);
    if (!result)
        return FALSE;
    gboolean known = db_rows(result) > 0;
    *uidvalidity = known ? (guint32)db_int(result, 0, 0) : 0;
    *uid = known ? (guint32)db_int(result, 0, 1) : 0;
    db_result_free(result);
    return TRUE;
}

gboolean place_save(struct db *db, const char *mailbox, guint32 uidvalidity, guint32 uid, GError **error)
{
    static const char sql[] =
        "INSERT INTO dmarc_store.mailbox AS m (mailbox, uidvalidity, uid) VALUES ($1, $2::bigint, "
        "$3::bigint) "
        "ON CONFLICT ON CONSTRAINT mailbox_pk DO UPDATE SET uidvalidity = excluded.uidvalidity, "
        "uid = CASE WHEN m.uidvalidity = excluded.uidvalidity THEN greatest(m.uid, excluded.uid) "
        "ELSE excluded.uid END, read_at = excluded.read_at";
    g_autofree char *validity = g_strdup_printf("%" G_GUINT32_FORMAT, uidvalidity);
    g_autofree char *number = g_strdup_printf("%" G_GUINT32_FORMAT, uid);
    const char *const values[] = {mailbox, validity, number};
    struct db_result *result = db_query(db, "noting how far a mailbox was read", sql, 3, values, error);
    db_result_free(result);
    return result != NULL;
}

gboolean place_lock(struct db *db, const char *name, gboolean *locked, GError **error)
{
    const char *const values[] = {name};
    struct db_result *result =
        db_query(db, "locking a mailbox", "SELECT pg_try_advisory_lock(" LOCKS ", hashtext($1))::int", 1,
                 values, error);
    *locked = result && db_int(result, 0, 0);
    db_result_free(result);
    return result != NULL;
}

gboolean place_unlock(struct db *db, const char *name, GError **error)
{
    const char *const values[] = {name};
    struct db_result *result = db_query(
        db, "unlocking a mailbox", "SELECT pg_advisory_unlock(" LOCKS ", hashtext($1))", 1, values, error);
    db_result_free(result);
    return result != NULL;
}
