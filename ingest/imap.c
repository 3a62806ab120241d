#include "ingest/imap.h"

#include "ingest/imap_fetch.h"
#include "ingest/imap_idle.h"
#include "ingest/imap_mark.h"
#include "ingest/imap_settle.h"
#include "parser/error.h"

#include <string.h>

enum { TRIES_DEFAULT = 5, BACKOFF_MS = 1000 };

struct imap_source {
    struct source base;
    struct imap_settings settings;
    struct limits limits;
    gboolean read_only;
    gboolean
        keeps_place; /* mails may stay where they are, so that it is written down how far they were read */
    struct imap_session *session;
    struct imap_turn *turn;
    struct imap_settle *settle;
    struct imap_fetch *fetch;
    struct imap_mark *mark;
    guint32 uidvalidity;
    guint32 saved; /* UID that was written down last */
    guint32 round; /* one more with each UIDVALIDITY; the upper half of a token */
    guint tries;   /* sessions since the last progress, this one included */
    char *ref;     /* all but the UID */
};

static void on_found(gpointer data, const guint32 *uids, guint n)
{
    struct imap_source *self = data;
    imap_mark_found(self->mark, uids, n);
}

static void on_gone(gpointer data, const guint32 *uids, guint n)
{
    struct imap_source *self = data;
    imap_mark_done(self->mark, uids, n);
}

static void on_done(gpointer data, const guint32 *uids, guint n)
{
    struct imap_source *self = data;
    imap_mark_done(self->mark, uids, n);
    self->tries = 1;
}

/* Numbering: UIDs mean something only together with the UIDVALIDITY that they came with. */

static gboolean begin_numbering(struct imap_source *self, GError **error)
{
    guint32 uidvalidity = 0, uid = 0;
    const struct imap_place *place = self->settings.place;
    if (self->keeps_place && !place->load(place->data, self->base.description, &uidvalidity, &uid, error))
        return FALSE;
    self->uidvalidity = self->session->uidvalidity;
    self->saved = uidvalidity == self->uidvalidity ? uid : 0;
    self->round++;
    g_free(self->ref);
    self->ref = g_strdup_printf("%s;UIDVALIDITY=%" G_GUINT32_FORMAT "/;UID=", self->base.description,
                                self->uidvalidity);
    imap_mark_free(self->mark);
    self->mark = imap_mark_new(self->saved);
    imap_fetch_start(self->fetch, self->saved);
    return TRUE;
}

static gboolean save_place(struct imap_source *self, GError **error)
{
    const struct imap_place *place = self->settings.place;
    guint32 uid = imap_mark_uid(self->mark);
    if (!self->keeps_place || uid == self->saved)
        return TRUE;
    if (!place->save(place->data, self->base.description, self->uidvalidity, uid, error))
        return FALSE;
    self->saved = uid;
    return TRUE;
}

/* Connecting again */

static gboolean reopen(struct imap_source *self, GError **error)
{
    struct imap_session *session = imap_session_open(&self->settings, &self->limits, error);
    if (!session || !imap_session_select(session, self->settings.mailbox, self->read_only, error)) {
        imap_session_close(session, FALSE);
        return FALSE;
    }
    gboolean renumbered = session->uidvalidity != self->uidvalidity;
    imap_session_close(self->session, FALSE);
    self->session = session;
    imap_settle_rebind(self->settle, session, renumbered);
    imap_fetch_rebind(self->fetch, session);
    return !renumbered || begin_numbering(self, error);
}

/* After an error, which it takes: TRUE when the session was broken and there is a new one, so that the same
 * may be tried again. A server that breaks off again and again without any progress is left alone. */
static gboolean recover(struct imap_source *self, GError *failure, GError **error)
{
    guint tries = self->settings.tries ? self->settings.tries : TRIES_DEFAULT;
    gint64 wait = self->settings.backoff_ms ? self->settings.backoff_ms : BACKOFF_MS;
    while (failure && failure->code == WS_ERROR_SOURCE && self->tries < tries &&
           !imap_session_check(self->session, NULL)) {
        g_debug("%s: %s; connecting again", self->base.description, failure->message);
        if (imap_stop_wanted(self->settings.stop_fd, wait << (self->tries - 1)))
            break;
        self->tries++;
        g_clear_error(&failure);
        reopen(self, &failure);
    }
    if (!failure)
        return TRUE;
    g_propagate_error(error, failure);
    return FALSE;
}

/* The verbs */

static gboolean flush(struct imap_source *self, GError **error)
{
    return imap_settle_flush(self->settle, error) && save_place(self, error);
}

/* 1 a mail, 0 there is no more, -1 an error. */
static int find_next(struct imap_source *self, struct mail *mail, GError **error)
{
    for (;;) {
        gboolean any = TRUE;
        int got = imap_fetch_step(self->fetch, mail, error);
        if (got)
            return got;
        if (imap_fetch_is_busy(self->fetch))
            continue;
        if (!flush(self, error) ||
            (!imap_fetch_remaining(self->fetch) &&
             !imap_fetch_search(self->fetch, imap_settle_criteria(self->settle), &any, error)))
            return -1;
        if (!any)
            return 0;
    }
}

static gboolean imap_next(struct source *source, struct mail *mail, GError **error)
{
    struct imap_source *self = (struct imap_source *)source;
    GError *failure = NULL;
    int got;
    *mail = (struct mail){0};
    while ((got = find_next(self, mail, &failure)) < 0)
        if (!recover(self, g_steal_pointer(&failure), error))
            return FALSE;
    if (!got)
        return FALSE;
    self->tries = 1;
    mail->ref = g_strdup_printf("%s%" G_GUINT64_FORMAT, self->ref, mail->token);
    mail->ref_is_identity = TRUE;
    mail->token |= (guint64)self->round << 32;
    return TRUE;
}

/* Carries out what is pending; what a FETCH under way had not brought yet is asked for again. */
static gboolean settle_now(struct imap_source *self, GError **error)
{
    if (imap_settle_is_pending(self->settle) &&
        (!imap_fetch_pause(self->fetch, error) || !imap_settle_flush(self->settle, error)))
        return FALSE;
    return save_place(self, error);
}

static gboolean imap_settle(struct source *source, const guint64 *tokens, const enum outcome *outcomes,
                            guint n, GError **error)
{
    struct imap_source *self = (struct imap_source *)source;
    GError *failure = NULL;
    for (guint i = 0; i < n; i++)
        if (tokens[i] >> 32 == self->round)
            imap_settle_add(self->settle, (guint32)tokens[i], outcomes[i]);
    if (n)
        return TRUE;
    while (!settle_now(self, &failure))
        if (!recover(self, g_steal_pointer(&failure), error))
            return FALSE;
    return imap_settle_refused(self->settle, error) && imap_fetch_refused(self->fetch, error);
}

static gint64 imap_remaining(struct source *source)
{
    return imap_fetch_remaining(((const struct imap_source *)source)->fetch);
}

static gboolean imap_wait(struct source *source, guint seconds, enum wait_result *result, GError **error)
{
    struct imap_source *self = (struct imap_source *)source;
    GError *failure = NULL;
    imap_settle_again(self->settle);
    *result = WAIT_NEWS;
    if (imap_fetch_remaining(self->fetch))
        return TRUE;
    if (imap_idle(self->session, seconds, result, &failure)) {
        if (*result == WAIT_TIMEOUT)
            self->tries = 1;
        return TRUE;
    }
    /* In a new session there may be anything. */
    *result = WAIT_NEWS;
    return recover(self, failure, error);
}

static void imap_close(struct source *source)
{
    struct imap_source *self = (struct imap_source *)source;
    if (self->mark)
        settle_now(self, NULL);
    imap_session_close(self->session, !imap_fetch_is_busy(self->fetch));
    imap_settle_free(self->settle);
    imap_turn_free(self->turn);
    imap_fetch_free(self->fetch);
    imap_mark_free(self->mark);
    g_free(self->ref);
    g_free(self->base.description);
    g_free(self);
}

static const struct source_kind imap_kind = {
    .name = "imap",
    .next = imap_next,
    .settle = imap_settle,
    .remaining = imap_remaining,
    .wait = imap_wait,
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

static gboolean begin(struct imap_source *self, const struct settle_rules *rules, GError **error)
{
    const char *mailbox = self->settings.mailbox;
    self->settle = imap_settle_new(self->session, rules, mailbox, self->turn, on_done, self, error);
    imap_fetch_rebind(self->fetch, self->session);
    return self->settle && imap_session_select(self->session, mailbox, self->read_only, error) &&
           begin_numbering(self, error);
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
    self->settings = *settings;
    self->settings.mailbox = mailbox;
    self->turn = imap_turn_new(settings, mailbox);
    self->limits = *limits;
    self->session = session;
    self->tries = 1;
    self->read_only = TRUE;
    for (guint i = 0; i < OUTCOMES; i++)
        self->read_only &= rules->after[i] == AFTER_LEAVE;
    self->keeps_place = settings->place && settle_rules_any(rules, AFTER_LEAVE);
    self->fetch = imap_fetch_new(limits->message_size, settings->batch, on_found, on_gone, self);
    if (!begin(self, rules, error)) {
        source_close(&self->base);
        return NULL;
    }
    return &self->base;
}
