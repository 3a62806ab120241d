#include "ingest/source_database.h"

#include "db/original.h"
#include "parser/error.h"

#include <string.h>

#define PAGE "500" /* mails asked for at once */

struct database_source {
    struct source source;
    struct db *db;
    const struct reread_choice *choice;
    const struct limits *limits;
    struct db_result *page;
    guint row;               /* of the page */
    char sha256[65], id[24]; /* of the last mail */
};

enum { MAIL_SHA256, MAIL_ID, MAIL_SOURCE, MAIL_IDENTITY };

#define REREADABLE "FROM dmarc.rereadable($1, $2, $3::boolean, $4, $5::date)"

static void choice_values(const struct reread_choice *choice, const char **values)
{
    values[0] = choice->ref;
    values[1] = choice->code;
    values[2] = choice->problems ? "t" : "f";
    values[3] = choice->domain;
    values[4] = choice->since;
}

gboolean source_database_count(struct db *db, const struct reread_choice *choice, guint64 *mails_r,
                               guint64 *lost_r, GError **error)
{
    const char *values[5];
    choice_values(choice, values);
    struct db_result *result =
        db_query(db, "counting mails to read again",
                 "SELECT count(*), count(*) FILTER (WHERE NOT kept) " REREADABLE, 5, values, error);
    if (result) {
        *mails_r = (guint64)db_int(result, 0, 0);
        *lost_r = (guint64)db_int(result, 0, 1);
    }
    db_result_free(result);
    return result != NULL;
}

static gboolean next_page(struct database_source *self, GError **error)
{
    static const char sql[] = "SELECT encode(mail_sha256, 'hex'), message, source, identity " REREADABLE
                              " WHERE kept AND (mail_sha256, message) > (decode($6, 'hex'), $7::bigint)"
                              " ORDER BY mail_sha256, message LIMIT " PAGE;
    const char *values[7];
    choice_values(self->choice, values);
    values[5] = self->sha256;
    values[6] = self->id;
    db_result_free(self->page);
    self->row = 0;
    self->page = db_query(self->db, "looking for mails to read again", sql, 7, values, error);
    return self->page != NULL;
}

static gboolean spool_piece(gpointer spool, const void *data, gsize n, GError **error)
{
    return spool_add(spool, data, n, error);
}

/* A damaged original is no fault of the others. */
static gboolean read_body(struct database_source *self, struct mail *mail, gboolean *found_r, GError **error)
{
    g_autoptr(GError) failure = NULL;
    struct spool *spool = spool_new(self->limits->message_size, "message_size");
    if (original_read(self->db, self->sha256, spool_piece, spool, found_r, &failure)) {
        mail->body = spool_finish(spool, error);
        return mail->body != NULL;
    }
    spool_free(spool);
    if (ws_error_spoils(failure) == WS_SPOILS_DOCUMENT) {
        g_warning("%s", failure->message);
        *found_r = FALSE;
        return TRUE;
    }
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
}

static void describe(const struct database_source *self, struct mail *mail)
{
    const char *source = db_value(self->page, self->row, MAIL_SOURCE);
    mail->ref = g_strdup(source);
    mail->ref_is_identity = *db_value(self->page, self->row, MAIL_IDENTITY) == 't';
    mail->row = db_int(self->page, self->row, MAIL_ID);
    mail->token = (guint64)mail->row;
    /* What was no mail then may be a report itself, and the name of a file may say what the report does not.
     */
    gboolean file = g_str_has_prefix(source, "file:");
    mail->may_be_bare = file || g_str_has_prefix(source, "stdin:");
    if (file)
        mail->name = g_path_get_basename(source + strlen("file:"));
}

static gboolean database_next(struct source *source, struct mail *mail_r, GError **error)
{
    struct database_source *self = (struct database_source *)(gpointer)source;
    for (gboolean found = FALSE;; self->row++) {
        if ((!self->page || self->row == db_rows(self->page)) && !next_page(self, error))
            return FALSE;
        if (!db_rows(self->page))
            return FALSE;
        g_strlcpy(self->sha256, db_value(self->page, self->row, MAIL_SHA256), sizeof self->sha256);
        g_strlcpy(self->id, db_value(self->page, self->row, MAIL_ID), sizeof self->id);
        if (!read_body(self, mail_r, &found, error))
            return FALSE;
        if (!found) {
            blob_unref(g_steal_pointer(&mail_r->body));
            continue;
        }
        describe(self, mail_r);
        self->row++;
        return TRUE;
    }
}

static gboolean database_settle(struct source *source, const guint64 *tokens, const enum outcome *outcomes,
                                guint n, GError **error)
{
    (void)source, (void)tokens, (void)outcomes, (void)n, (void)error;
    return TRUE;
}

static gint64 database_remaining(struct source *source)
{
    (void)source;
    return -1;
}

static void database_close(struct source *source)
{
    struct database_source *self = (struct database_source *)(gpointer)source;
    db_result_free(self->page);
    g_free(source->description);
    g_free(self);
}

static const struct source_kind database_kind = {
    .name = "database",
    .next = database_next,
    .settle = database_settle,
    .remaining = database_remaining,
    .close = database_close,
};

struct source *source_open_database(struct db *db, const struct reread_choice *choice,
                                    const struct limits *limits)
{
    struct database_source *self = g_new0(struct database_source, 1);
    self->source = (struct source){&database_kind, g_strdup("originals in the database")};
    self->db = db;
    self->choice = choice;
    self->limits = limits;
    g_strlcpy(self->id, "0", sizeof self->id);
    return &self->source;
}
