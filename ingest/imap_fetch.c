#include "ingest/imap_fetch.h"

#include "ingest/imap_write.h"
#include "parser/error.h"
#include "parser/step.h"

#include <string.h>

enum {
    BATCH_DEFAULT = 500,
    BATCH_BYTES = 32 * 1024 * 1024,
    /* A mail of this size ends its batch: its FETCH is over when it is handed out, so that the server does
     * not wait for us while it is worked on. */
    BATCH_LAST_BYTES = 1024 * 1024,
    TRIES = 2,      /* of a mail that the server does not hand out, */
    BREAKS_MAX = 3, /* or that the session breaks at */
};

/* A mail that was found, and what the server says of its size. */
struct wanted {
    guint32 uid;
    gboolean seen; /* its FETCH response has come */
    guint tries;   /* in vain; asked for alone from then on */
    guint64 size;
};

struct imap_fetch {
    struct imap_session *session;
    imap_uids_func found, gone;
    gpointer data;
    guint64 message_size;
    guint batch_max;
    guint32 highest;     /* UID that any search has brought */
    GArray *uids;        /* guint32, ascending: found by the last search */
    guint uids_done;     /* of these were asked for their size */
    guint sizing;        /* of `wanted`, the last ones are being asked for their size */
    GArray *wanted;      /* struct wanted, ascending: next to be fetched */
    guint batch;         /* of these, the first ones are being fetched; 0: no FETCH is under way */
    guint batch_to_come; /* and so many of them were not seen yet */
    GError *refusal;
};

/* One FETCH response. */
struct fetched {
    guint64 uid;
    gboolean has_size, has_body;
    guint64 size;
    guint64 body_size;
    struct blob *body; /* NULL: over the limit, or not wanted */
};

struct imap_fetch *imap_fetch_new(guint64 message_size, guint batch, imap_uids_func found,
                                  imap_uids_func gone, gpointer data)
{
    struct imap_fetch *self = g_new0(struct imap_fetch, 1);
    self->message_size = message_size;
    self->batch_max = batch ? batch : BATCH_DEFAULT;
    self->found = found;
    self->gone = gone;
    self->data = data;
    self->uids = g_array_new(FALSE, FALSE, sizeof(guint32));
    self->wanted = g_array_new(FALSE, FALSE, sizeof(struct wanted));
    return self;
}

void imap_fetch_free(struct imap_fetch *self)
{
    if (!self)
        return;
    g_array_unref(self->uids);
    g_array_unref(self->wanted);
    g_clear_error(&self->refusal);
    g_free(self);
}

static struct wanted *wanted_at(const struct imap_fetch *self, guint i)
{
    return &g_array_index(self->wanted, struct wanted, i);
}

/* Why the mail of this UID will not be had in this session. */
static void refuse(struct imap_fetch *self, guint32 uid, const char *words)
{
    if (!self->refusal)
        g_set_error(&self->refusal, WS_ERROR, WS_ERROR_SOURCE,
                    "could not fetch UID %" G_GUINT32_FORMAT ": %s %s", uid,
                    imap_conn_name(self->session->conn), words);
}

gboolean imap_fetch_refused(struct imap_fetch *self, GError **error)
{
    if (!self->refusal)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&self->refusal));
    return FALSE;
}

/* Keeps of the running batch only the mails that were not seen. */
static void keep_unseen(struct imap_fetch *self)
{
    guint kept = 0;
    for (guint i = 0; i < self->wanted->len; i++)
        if (!wanted_at(self, i)->seen)
            *wanted_at(self, kept++) = *wanted_at(self, i);
    g_array_set_size(self->wanted, kept);
    self->batch = self->batch_to_come = 0;
}

void imap_fetch_rebind(struct imap_fetch *self, struct imap_session *session)
{
    gboolean broke_at_mail = self->batch > 0;
    self->session = session;
    if (self->sizing) {
        g_array_set_size(self->wanted, self->wanted->len - self->sizing);
        self->uids_done -= self->sizing;
        self->sizing = 0;
    }
    keep_unseen(self);
    if (broke_at_mail && self->wanted->len && ++wanted_at(self, 0)->tries >= BREAKS_MAX) {
        refuse(self, wanted_at(self, 0)->uid, "breaks the connection each time");
        g_array_remove_index(self->wanted, 0);
    }
}

void imap_fetch_start(struct imap_fetch *self, guint32 uid)
{
    g_array_set_size(self->uids, 0);
    g_array_set_size(self->wanted, 0);
    self->uids_done = self->sizing = self->batch = self->batch_to_come = 0;
    self->highest = uid;
}

guint imap_fetch_remaining(const struct imap_fetch *self)
{
    guint wanted = self->batch ? self->wanted->len - self->batch + self->batch_to_come : self->wanted->len;
    return wanted + self->uids->len - self->uids_done;
}

gboolean imap_fetch_is_busy(const struct imap_fetch *self)
{
    return self->batch > 0;
}

/* Finding */

gboolean imap_fetch_search(struct imap_fetch *self, const char *criteria, gboolean *any, GError **error)
{
    *any = FALSE;
    if (self->highest == G_MAXUINT32)
        return TRUE;
    g_autofree char *newer =
        self->highest ? g_strdup_printf("UID %" G_GUINT32_FORMAT ":* %s", self->highest + 1, criteria)
                      : g_strdup(criteria);
    g_autoptr(GArray) uids = imap_session_search(self->session, newer, error);
    if (!uids)
        return FALSE;
    /* "n:*" always holds the last mail, even when it comes before n. */
    g_array_set_size(self->uids, 0);
    for (guint i = 0; i < uids->len; i++) {
        guint32 uid = g_array_index(uids, guint32, i);
        if (uid > self->highest) {
            g_array_append_val(self->uids, uid);
            self->highest = uid;
        }
    }
    self->uids_done = 0;
    *any = self->uids->len > 0;
    if (*any)
        self->found(self->data, (const guint32 *)(gconstpointer)self->uids->data, self->uids->len);
    return TRUE;
}

static gint compare_wanted(gconstpointer a, gconstpointer b)
{
    return imap_uid_compare(&((const struct wanted *)a)->uid, &((const struct wanted *)b)->uid);
}

/* The place of a UID among the mails that are asked for now, or NULL. */
static struct wanted *find_wanted(const struct imap_fetch *self, guint64 uid)
{
    const struct wanted key = {.uid = (guint32)uid};
    guint n = self->sizing ? self->sizing : self->batch;
    guint from = self->sizing ? self->wanted->len - n : 0;
    return uid && uid <= G_MAXUINT32 && n
               ? bsearch(&key, wanted_at(self, from), n, sizeof key, compare_wanted)
               : NULL;
}

/* Mails that were asked for and did not come: those that have vanished go to `gone`, those that are still
 * there come back in *left_r, owned by the caller. What the server said is for the next refusal. */
static gboolean look_for(struct imap_fetch *self, GArray *missing, GArray **left_r, GError **error)
{
    *left_r = g_array_new(FALSE, FALSE, sizeof(guint32));
    while (missing->len) {
        guint n, kept = 0;
        const guint32 *uids = (const guint32 *)(gconstpointer)missing->data;
        g_autofree char *set = imap_uid_set(uids, missing->len, IMAP_SET_MAX, &n);
        g_autoptr(GArray) left = imap_session_left(self->session, set, error);
        if (!left)
            return FALSE;
        for (guint i = 0; i < n; i++) {
            while (kept < left->len && g_array_index(left, guint32, kept) < uids[i])
                kept++;
            if (kept < left->len && g_array_index(left, guint32, kept) == uids[i])
                g_array_append_val(*left_r, uids[i]);
            else
                self->gone(self->data, &uids[i], 1);
        }
        g_array_remove_range(missing, 0, n);
    }
    return TRUE;
}

/* A mail body as the next value of a FETCH response. `keep`: somebody waits for it. FALSE: the parser has
 * failed, or *error is set because it could not be put anywhere. */
static gboolean read_body(struct imap_fetch *self, gboolean keep, struct fetched *fetched, GError **error)
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
static gboolean read_fetched(struct imap_fetch *self, struct fetched *fetched, GError **error)
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
            gboolean keep = fetched->uid ? wanted && !wanted->seen : TRUE;
            ok = read_body(self, keep && self->batch, fetched, error);
        } else {
            ok = imap_parser_skip_value(parser);
        }
    }
    if (token != IMAP_CLOSE && !(error && *error))
        imap_parser_fail(parser, "a FETCH response that does not end");
    return token == IMAP_CLOSE;
}

/* Finding their sizes */

static void on_size(void *data, struct imap_session *session, const struct imap_response *r)
{
    struct imap_fetch *self = data;
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

/* Sorts out the mails whose size was asked for: those without an answer stay only when they are still there,
 * and are then asked for alone. */
static gboolean sizes_end(struct imap_fetch *self, guint from, GError **error)
{
    g_autoptr(GArray) missing = g_array_new(FALSE, FALSE, sizeof(guint32));
    g_autoptr(GArray) left = NULL;
    for (guint i = from; i < self->wanted->len; i++)
        if (!wanted_at(self, i)->seen)
            g_array_append_val(missing, wanted_at(self, i)->uid);
    if (!look_for(self, missing, &left, error))
        return FALSE;
    guint kept = from, next = 0;
    for (guint i = from; i < self->wanted->len; i++) {
        struct wanted wanted = *wanted_at(self, i);
        gboolean there = next < left->len && g_array_index(left, guint32, next) == wanted.uid;
        next += there ? 1 : 0;
        if (!wanted.seen && !there)
            continue;
        wanted.tries = there ? 1 : 0;
        wanted.seen = FALSE;
        *wanted_at(self, kept++) = wanted;
    }
    g_array_set_size(self->wanted, kept);
    self->sizing = 0;
    return TRUE;
}

/* Asks for the sizes of the next mails that were found. */
static gboolean find_sizes(struct imap_fetch *self, GError **error)
{
    guint from = self->wanted->len;
    const guint32 *uids = &g_array_index(self->uids, guint32, self->uids_done);
    g_autofree char *set = imap_uid_set(uids, MIN(self->uids->len - self->uids_done, self->batch_max),
                                        IMAP_SET_MAX, &self->sizing);
    g_autofree char *command = g_strdup_printf("UID FETCH %s (UID RFC822.SIZE)", set);
    for (guint i = 0; i < self->sizing; i++) {
        const struct wanted wanted = {.uid = uids[i]};
        g_array_append_val(self->wanted, wanted);
    }
    self->uids_done += self->sizing;
    return imap_session_command(self->session, command, on_size, self, error) && sizes_end(self, from, error);
}

/* Fetching */

static void refuse_mail(const struct imap_fetch *self, guint32 uid, guint64 size, struct mail *mail)
{
    mail->token = uid;
    mail->refusal_code = "limit";
    mail->refusal = g_strdup_printf("the mail has %" G_GUINT64_FORMAT
                                    " bytes, more than the limit message_size of %" G_GUINT64_FORMAT,
                                    size, self->message_size);
}

/* Asks for as many mails as the bounds of a batch allow, at least one. */
static gboolean fetch_begin(struct imap_fetch *self, GError **error)
{
    g_autoptr(GArray) uids = g_array_new(FALSE, FALSE, sizeof(guint32));
    guint64 bytes = 0;
    while (uids->len < self->wanted->len) {
        const struct wanted *next = wanted_at(self, uids->len);
        gboolean fits = next->size <= self->message_size && bytes + next->size <= BATCH_BYTES;
        if (uids->len && (!fits || next->tries))
            break;
        g_array_append_val(uids, next->uid);
        bytes += next->size;
        if (next->size >= BATCH_LAST_BYTES || next->tries)
            break;
    }
    g_autofree char *set =
        imap_uid_set((const guint32 *)(gconstpointer)uids->data, uids->len, IMAP_SET_MAX, &self->batch);
    g_autofree char *command = g_strdup_printf("UID FETCH %s (UID RFC822.SIZE BODY.PEEK[])", set);
    self->batch_to_come = self->batch;
    return imap_session_send(self->session, command, 2 * bytes, error);
}

/* The FETCH was answered. Who got no answer has vanished meanwhile, or the server does not hand it out. */
static gboolean fetch_end(struct imap_fetch *self, GError **error)
{
    g_autoptr(GArray) missing = g_array_new(FALSE, FALSE, sizeof(guint32));
    g_autoptr(GArray) left = NULL;
    g_autofree char *words = self->session->ok ? g_strdup("says that it is there and gives nothing")
                                               : g_strconcat("says ", self->session->answer_text, NULL);
    guint n = self->batch_to_come, kept = 0, next = 0;
    keep_unseen(self);
    for (guint i = 0; i < n; i++)
        g_array_append_val(missing, wanted_at(self, i)->uid);
    if (!look_for(self, missing, &left, error))
        return FALSE;
    for (guint i = 0; i < n; i++) {
        struct wanted wanted = *wanted_at(self, i);
        if (next == left->len || g_array_index(left, guint32, next) != wanted.uid)
            continue;
        next++;
        if (++wanted.tries >= TRIES)
            refuse(self, wanted.uid, words);
        else
            *wanted_at(self, kept++) = wanted;
    }
    g_array_remove_range(self->wanted, kept, n - kept);
    return TRUE;
}

/* Reads the answers that are left of a FETCH without looking at them. */
static gboolean fetch_skip(struct imap_fetch *self, GError **error)
{
    struct imap_response r;
    do {
        if (!imap_session_response(self->session, &r, error))
            return FALSE;
    } while (r.kind != IMAP_TAGGED);
    return TRUE;
}

gboolean imap_fetch_pause(struct imap_fetch *self, GError **error)
{
    if (self->batch) {
        if (!fetch_skip(self, error))
            return FALSE;
        keep_unseen(self);
    }
    return TRUE;
}

/* What one FETCH response brings: 1 a mail, 0 none, -1 an error. */
static int fetch_response(struct imap_fetch *self, struct mail *mail, GError **error)
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
    /* Nothing at all is no mail, unless the server said that it has no bytes. */
    if (wanted && !wanted->seen && fetched.has_body && (fetched.body_size || !wanted->size)) {
        wanted->seen = TRUE;
        self->batch_to_come--;
        result = 1;
        if (fetched.body_size > self->message_size)
            refuse_mail(self, wanted->uid, fetched.body_size, mail);
        mail->token = wanted->uid;
        mail->body = g_steal_pointer(&fetched.body);
    }
    blob_unref(fetched.body);
    return result;
}

/* The next mail of the running FETCH: 1 a mail, 0 the FETCH is over, -1 an error. */
static int fetch_next(struct imap_fetch *self, struct mail *mail, GError **error)
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
        if (self->batch_to_come)
            return 1;
        if (fetch_skip(self, error)) {
            keep_unseen(self);
            return 1;
        }
        find_wanted(self, mail->token)->seen = FALSE;
        self->batch_to_come++;
        mail_clear(mail);
        return -1;
    }
    return -1;
}

int imap_fetch_step(struct imap_fetch *self, struct mail *mail, GError **error)
{
    if (self->batch)
        return fetch_next(self, mail, error);
    if (!self->wanted->len)
        return self->uids_done == self->uids->len || find_sizes(self, error) ? 0 : -1;
    const struct wanted first = *wanted_at(self, 0);
    if (first.size <= self->message_size)
        return fetch_begin(self, error) ? 0 : -1;
    g_array_remove_index(self->wanted, 0);
    refuse_mail(self, first.uid, first.size, mail);
    return 1;
}
