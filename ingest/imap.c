#include "ingest/imap.h"

#include "ingest/imap_session.h"
#include "ingest/imap_settle.h"
#include "ingest/imap_write.h"
#include "parser/error.h"
#include "parser/step.h"

#include <string.h>

enum {
    BATCH_DEFAULT = 500,
    BATCH_BYTES = 32 * 1024 * 1024,
    /* A mail of this size ends its batch: its FETCH is over when it is handed out, so that the server does
     * not wait for us while it is worked on. */
    BATCH_LAST_BYTES = 1024 * 1024
};

/* A mail that was found, and what the server says of its size. */
struct wanted {
    guint32 uid;
    gboolean seen; /* its FETCH response has come */
    guint64 size;
};

struct imap_source {
    struct source base;
    struct imap_session *session;
    struct imap_settle *settle;
    guint64 message_size;
    guint batch_max;
    char *ref;           /* all but the UID */
    GArray *uids;        /* guint32, ascending: found by the last search */
    guint uids_done;     /* of these were asked for their size */
    guint32 highest;     /* UID that any search has brought */
    GArray *wanted;      /* struct wanted, ascending: next to be fetched */
    guint batch;         /* of these, the first ones are being fetched; 0: no FETCH is under way */
    guint batch_to_come; /* and so many of them were not seen yet */
};

/* One FETCH response. */
struct fetched {
    guint64 uid;
    gboolean has_size, has_body;
    guint64 size;
    guint64 body_size;
    struct blob *body; /* NULL: over the limit, or not wanted */
};

/* Finding */

static gboolean search(struct imap_source *self, GError **error)
{
    g_autofree char *criteria = self->highest
                                    ? g_strdup_printf("UID %" G_GUINT32_FORMAT ":* %s", self->highest + 1,
                                                      imap_settle_criteria(self->settle))
                                    : g_strdup(imap_settle_criteria(self->settle));
    GArray *uids = imap_session_search(self->session, criteria, error);
    if (!uids)
        return FALSE;
    /* "n:*" always holds the last mail, even when it comes before n. */
    guint old = 0;
    while (old < uids->len && g_array_index(uids, guint32, old) <= self->highest)
        old++;
    g_array_remove_range(uids, 0, old);
    g_array_unref(self->uids);
    self->uids = uids;
    self->uids_done = 0;
    if (uids->len)
        self->highest = g_array_index(uids, guint32, uids->len - 1);
    return TRUE;
}

static gint compare_wanted(gconstpointer a, gconstpointer b)
{
    return imap_uid_compare(&((const struct wanted *)a)->uid, &((const struct wanted *)b)->uid);
}

/* After a NO: some servers say so when mails have vanished. An error when one of the set is still there. */
static gboolean is_gone(struct imap_source *self, const char *set, GError **error)
{
    g_autofree char *refusal = g_strdup(self->session->answer_text);
    g_autoptr(GArray) left = imap_session_left(self->session, set, error);
    if (left && left->len)
        g_set_error(error, WS_ERROR, WS_ERROR_SOURCE, "could not fetch UID %" G_GUINT32_FORMAT ": %s says %s",
                    g_array_index(left, guint32, 0), imap_conn_name(self->session->conn), refusal);
    return left && !left->len;
}

/* The place of a UID among the mails of the running batch, or NULL. */
static struct wanted *find_wanted(struct imap_source *self, guint64 uid)
{
    const struct wanted key = {.uid = (guint32)uid};
    return uid && uid <= G_MAXUINT32 && self->batch
               ? bsearch(&key, self->wanted->data, self->batch, sizeof key, compare_wanted)
               : NULL;
}

/* A mail body as the next value of a FETCH response. `keep`: somebody waits for it. FALSE: the parser has
 * failed, or *error is set because it could not be put anywhere. */
static gboolean read_body(struct imap_source *self, gboolean keep, struct fetched *fetched, GError **error)
{
    struct imap_parser *parser = self->session->parser;
    enum imap_token token = imap_parser_token(parser);
    const char *data = NULL;
    gsize n = 0;
    if (token == IMAP_STRING) {
        data = imap_parser_text(parser);
        n = strlen(data);
    } else if (token == IMAP_ATOM && g_ascii_strcasecmp(imap_parser_text(parser), "NIL") == 0) {
        return TRUE;
    } else if (token != IMAP_LITERAL) {
        imap_parser_fail(parser, "a mail was expected");
        return FALSE;
    }
    fetched->has_body = TRUE;
    fetched->body_size = token == IMAP_LITERAL ? imap_parser_literal_size(parser) : n;
    if (!keep || fetched->body || fetched->body_size > self->message_size)
        return TRUE;
    struct spool *spool = spool_new(self->message_size, "message_size");
    gboolean ok = token != IMAP_STRING || spool_add(spool, data, n, error);
    while (ok && token == IMAP_LITERAL && imap_parser_literal(parser, &data, &n)) {
        step("reading a mail");
        ok = spool_add(spool, data, n, error);
    }
    if (!ok || imap_parser_failed(parser, NULL)) {
        spool_free(spool);
        return FALSE;
    }
    fetched->body = spool_finish(spool, error);
    return fetched->body != NULL;
}

/* The items of "* n FETCH (...)", in whatever order and with others among them that nobody asked for. */
static gboolean read_fetched(struct imap_source *self, struct fetched *fetched, GError **error)
{
    struct imap_parser *parser = self->session->parser;
    enum imap_token token = imap_parser_token(parser);
    gboolean ok = token == IMAP_OPEN;
    while (ok && (token = imap_parser_token(parser)) == IMAP_ATOM) {
        const char *item = imap_parser_text(parser);
        if (g_ascii_strcasecmp(item, "UID") == 0) {
            ok = imap_parser_number(parser, G_MAXUINT32, &fetched->uid);
        } else if (g_ascii_strcasecmp(item, "RFC822.SIZE") == 0) {
            ok = fetched->has_size = imap_parser_number(parser, G_MAXINT64, &fetched->size);
        } else if (g_ascii_strcasecmp(item, "BODY[]") == 0) {
            /* The UID may come after it. */
            const struct wanted *wanted = find_wanted(self, fetched->uid);
            ok = read_body(self, fetched->uid ? wanted && !wanted->seen : self->batch > 0, fetched, error);
        } else {
            ok = imap_parser_skip_value(parser);
        }
    }
    if (token != IMAP_CLOSE && !(error && *error))
        imap_parser_fail(parser, "a FETCH response that does not end");
    return token == IMAP_CLOSE;
}

/* Keeps only the mails of `wanted` that were seen, or only those that were not. */
static void keep_wanted(struct imap_source *self, gboolean seen)
{
    struct wanted *wanted = (struct wanted *)(gpointer)self->wanted->data;
    guint kept = 0;
    for (guint i = 0; i < self->wanted->len; i++)
        if (wanted[i].seen == seen)
            wanted[kept++] = (struct wanted){.uid = wanted[i].uid, .size = wanted[i].size};
    g_array_set_size(self->wanted, kept);
    self->batch = self->batch_to_come = 0;
}

static void on_size(void *data, struct imap_session *session, const struct imap_response *r)
{
    struct imap_source *self = data;
    struct fetched fetched = {0};
    (void)session;
    if (strcmp(r->name, "FETCH") == 0 && read_fetched(self, &fetched, NULL)) {
        struct wanted *wanted = find_wanted(self, fetched.uid);
        if (wanted && fetched.has_size) {
            wanted->size = fetched.size;
            wanted->seen = TRUE;
        }
    }
    blob_unref(fetched.body);
}

/* Asks for the sizes of the next mails that were found. Those that have vanished get no answer, and are left
 * out. */
static gboolean find_sizes(struct imap_source *self, GError **error)
{
    guint taken;
    const guint32 *uids = &g_array_index(self->uids, guint32, self->uids_done);
    g_autofree char *set =
        imap_uid_set(uids, MIN(self->uids->len - self->uids_done, self->batch_max), IMAP_SET_MAX, &taken);
    g_autofree char *command = g_strdup_printf("UID FETCH %s (UID RFC822.SIZE)", set);
    for (guint i = 0; i < taken; i++) {
        const struct wanted wanted = {.uid = uids[i]};
        g_array_append_val(self->wanted, wanted);
    }
    self->uids_done += taken;
    self->batch = self->wanted->len;
    if (!imap_session_command(self->session, command, on_size, self, error))
        return FALSE;
    keep_wanted(self, TRUE);
    return self->session->ok || self->wanted->len || is_gone(self, set, error);
}

/* Fetching */

static void make_mail(const struct imap_source *self, guint32 uid, struct mail *mail)
{
    mail->ref = g_strdup_printf("%s%" G_GUINT32_FORMAT, self->ref, uid);
    mail->ref_is_identity = TRUE;
    mail->token = uid;
}

static void refuse_mail(const struct imap_source *self, guint32 uid, guint64 size, struct mail *mail)
{
    make_mail(self, uid, mail);
    mail->refusal_code = "limit";
    mail->refusal = g_strdup_printf("the mail has %" G_GUINT64_FORMAT
                                    " bytes, more than the limit message_size of %" G_GUINT64_FORMAT,
                                    size, self->message_size);
}

/* Asks for as many mails as the bounds of a batch allow, at least one. */
static gboolean fetch_begin(struct imap_source *self, GError **error)
{
    const struct wanted *wanted = (const struct wanted *)(gconstpointer)self->wanted->data;
    g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(guint32));
    guint64 bytes = 0;
    while (uids->len < self->wanted->len) {
        const struct wanted *next = &wanted[uids->len];
        if (next->size > self->message_size || (uids->len && bytes + next->size > BATCH_BYTES))
            break;
        g_array_append_val(uids, next->uid);
        bytes += next->size;
        if (next->size >= BATCH_LAST_BYTES)
            break;
    }
    g_autofree char *set =
        imap_uid_set((const guint32 *)(gconstpointer)uids->data, uids->len, IMAP_SET_MAX, &self->batch);
    g_autofree char *command = g_strdup_printf("UID FETCH %s (UID RFC822.SIZE BODY.PEEK[])", set);
    self->batch_to_come = self->batch;
    return imap_session_send(self->session, command, 2 * bytes, error);
}

/* The FETCH was answered. Whoever got no answer has vanished meanwhile, or the server says NO. */
static gboolean fetch_end(struct imap_source *self, GError **error)
{
    g_autoptr(GArray) missing = g_array_new(FALSE, FALSE, sizeof(guint32));
    for (guint i = 0; i < self->batch; i++) {
        const struct wanted *wanted = &g_array_index(self->wanted, struct wanted, i);
        if (!wanted->seen)
            g_array_append_val(missing, wanted->uid);
    }
    g_array_remove_range(self->wanted, 0, self->batch);
    self->batch = self->batch_to_come = 0;
    if (self->session->ok || !missing->len)
        return TRUE;
    guint taken;
    g_autofree char *set =
        imap_uid_set((const guint32 *)(gconstpointer)missing->data, missing->len, IMAP_SET_MAX, &taken);
    return is_gone(self, set, error);
}

/* Reads the answers that are left of a FETCH without looking at them. */
static gboolean fetch_skip(struct imap_source *self, GError **error)
{
    struct imap_response r;
    do {
        if (!imap_session_response(self->session, &r, error))
            return FALSE;
    } while (r.kind != IMAP_TAGGED);
    return TRUE;
}

/* What one FETCH response brings: 1 a mail, 0 none, -1 an error. */
static int fetch_response(struct imap_source *self, struct mail *mail, GError **error)
{
    struct fetched fetched = {0};
    GError *failure = NULL;
    int result = 0;
    if (!read_fetched(self, &fetched, &failure)) {
        if (failure)
            imap_session_break(self->session, failure, NULL);
        imap_session_check(self->session, error);
        result = -1;
    }
    struct wanted *wanted = result ? NULL : find_wanted(self, fetched.uid);
    if (wanted && !wanted->seen && fetched.has_body) {
        wanted->seen = TRUE;
        self->batch_to_come--;
        if (fetched.body_size > self->message_size) {
            refuse_mail(self, wanted->uid, fetched.body_size, mail);
            result = 1;
        } else if (fetched.body && (fetched.body_size || !wanted->size)) {
            make_mail(self, wanted->uid, mail);
            mail->body = g_steal_pointer(&fetched.body);
            result = 1;
        }
    }
    blob_unref(fetched.body);
    return result;
}

/* The next mail of the running FETCH: 1 a mail, 0 the FETCH is over, -1 an error. */
static int fetch_next(struct imap_source *self, struct mail *mail, GError **error)
{
    struct imap_response r;
    while (imap_session_response(self->session, &r, error)) {
        if (r.kind == IMAP_TAGGED)
            return fetch_end(self, error) ? 0 : -1;
        int got = strcmp(r.name, "FETCH") == 0 ? fetch_response(self, mail, error) : 0;
        if (got < 0)
            return -1;
        if (!got)
            continue;
        /* The last one is handed out when the server is done, so that it can take other commands. */
        if (self->batch_to_come || (fetch_skip(self, error) && fetch_end(self, error)))
            return 1;
        mail_clear(mail);
        return -1;
    }
    return -1;
}

/* The verbs */

static gboolean imap_next(struct source *source, struct mail *mail, GError **error)
{
    struct imap_source *self = (struct imap_source *)source;
    *mail = (struct mail){0};
    for (;;) {
        if (self->batch) {
            int got = fetch_next(self, mail, error);
            if (got)
                return got > 0;
        } else if (!imap_settle_flush(self->settle, error)) {
            return FALSE;
        } else if (self->wanted->len) {
            const struct wanted first = g_array_index(self->wanted, struct wanted, 0);
            if (first.size > self->message_size) {
                g_array_remove_index(self->wanted, 0);
                refuse_mail(self, first.uid, first.size, mail);
                return TRUE;
            }
            if (!fetch_begin(self, error))
                return FALSE;
        } else if (self->uids_done < self->uids->len) {
            if (!find_sizes(self, error))
                return FALSE;
        } else if (self->highest == G_MAXUINT32 || !search(self, error) || !self->uids->len) {
            return FALSE;
        }
    }
}

/* Carries out what is pending; a FETCH under way is read over, and what it had not brought yet is wanted
 * again. */
static gboolean settle_now(struct imap_source *self, GError **error)
{
    if (!imap_settle_is_pending(self->settle))
        return TRUE;
    if (self->batch) {
        if (!fetch_skip(self, error))
            return FALSE;
        keep_wanted(self, FALSE);
    }
    return imap_settle_flush(self->settle, error);
}

static gboolean imap_settle(struct source *source, const guint64 *tokens, const enum outcome *outcomes,
                            guint n, GError **error)
{
    struct imap_source *self = (struct imap_source *)source;
    if (!imap_session_check(self->session, error))
        return FALSE;
    for (guint i = 0; i < n; i++)
        imap_settle_add(self->settle, (guint32)tokens[i], outcomes[i]);
    return n > 0 || settle_now(self, error);
}

static gint64 imap_remaining(struct source *source)
{
    const struct imap_source *self = (const struct imap_source *)source;
    guint wanted = self->batch ? self->wanted->len - self->batch + self->batch_to_come : self->wanted->len;
    return (gint64)wanted + self->uids->len - self->uids_done;
}

static void imap_close(struct source *source)
{
    struct imap_source *self = (struct imap_source *)source;
    if (self->settle)
        settle_now(self, NULL);
    imap_session_close(self->session, !self->batch);
    imap_settle_free(self->settle);
    g_array_unref(self->uids);
    g_array_unref(self->wanted);
    g_free(self->ref);
    g_free(self->base.description);
    g_free(self);
}

static const struct source_kind imap_kind = {
    .name = "imap",
    .next = imap_next,
    .settle = imap_settle,
    .remaining = imap_remaining,
    .close = imap_close,
};

/* "imap://user@host/MAILBOX"; the port only where it is not the usual one. */
static char *describe(const struct imap_settings *settings, const char *mailbox)
{
    guint usual = settings->starttls ? 143 : 993;
    g_autofree char *user = g_uri_escape_string(settings->user, NULL, FALSE);
    g_autofree char *path = g_uri_escape_string(mailbox, "/", FALSE);
    g_autofree char *host =
        strchr(settings->host, ':') ? g_strdup_printf("[%s]", settings->host) : g_strdup(settings->host);
    g_autofree char *port =
        settings->port && settings->port != usual ? g_strdup_printf(":%u", settings->port) : g_strdup("");
    return g_strdup_printf("imap://%s@%s%s/%s", user, host, port, path);
}

static gboolean begin(struct imap_source *self, const struct settle_rules *rules, const char *mailbox,
                      GError **error)
{
    self->settle = imap_settle_new(self->session, rules, mailbox, error);
    if (!self->settle || !imap_session_select(self->session, mailbox, rules->after == AFTER_LEAVE, error))
        return FALSE;
    self->ref = g_strdup_printf("%s;UIDVALIDITY=%" G_GUINT32_FORMAT "/;UID=", self->base.description,
                                self->session->uidvalidity);
    return search(self, error);
}

struct source *source_open_imap(const struct imap_settings *settings, const struct settle_rules *rules,
                                const struct limits *limits, GError **error)
{
    const char *mailbox = settings->mailbox ? settings->mailbox : "INBOX";
    if (g_ascii_strcasecmp(mailbox, "INBOX") == 0)
        mailbox = "INBOX";
    struct imap_session *session = imap_session_open(settings, limits, error);
    if (!session)
        return NULL;
    struct imap_source *self = g_new0(struct imap_source, 1);
    self->base = (struct source){.kind = &imap_kind, .description = describe(settings, mailbox)};
    self->session = session;
    self->message_size = limits->message_size;
    self->batch_max = settings->batch ? settings->batch : BATCH_DEFAULT;
    self->uids = g_array_new(FALSE, FALSE, sizeof(guint32));
    self->wanted = g_array_new(FALSE, FALSE, sizeof(struct wanted));
    if (!begin(self, rules, mailbox, error)) {
        source_close(&self->base);
        return NULL;
    }
    return &self->base;
}
