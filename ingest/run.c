#include "ingest/run.h"

#include "ingest/crew.h"
#include "ingest/journal_writer.h"
#include "ingest/journey.h"
#include "parser/sha256.h"
#include "parser/step.h"

#include <string.h>

/* Mails that are looked up in the ledger together: enough to share one statement, few enough to wait for. */
#define WINDOW_MAILS 256
#define WINDOW_BYTES (8 * 1024 * 1024)

struct slot {
    struct mail mail; /* the first member: crew_verbs know a mail by its address */
    guint8 sha256[32];
};

/* While the mails of one window are in the workers' hands, the next one is fetched. */
struct window {
    struct slot slots[WINDOW_MAILS];
    guint n;
};

struct run {
    struct source *source;
    const struct run_settings *settings;
    struct run_totals *totals;
    struct writer *writer;
    struct journal_writer told; /* of the mail whose answer comes */
    struct crew *crew;          /* NULL: no workers */
    gboolean last;              /* the source has no more */
    GArray *tokens;             /* guint64: committed, not settled yet */
    GArray *outcomes;           /* enum outcome, beside tokens */
};

static void queue_settle(struct run *run, guint64 token, enum outcome outcome)
{
    g_array_append_val(run->tokens, token);
    g_array_append_val(run->outcomes, outcome);
}

static void on_settled(gpointer token, enum outcome outcome, gpointer data)
{
    struct run *run = data;
    run->totals->mails++;
    run->totals->by_outcome[outcome]++;
    queue_settle(run, GPOINTER_TO_SIZE(token), outcome);
}

static gboolean settle(struct run *run, GError **error)
{
    if (!run->tokens->len)
        return TRUE;
    gboolean ok = run->source->kind->settle(run->source, (const guint64 *)(gpointer)run->tokens->data,
                                            (const enum outcome *)(gpointer)run->outcomes->data,
                                            run->tokens->len, error);
    step("settled");
    g_array_set_size(run->tokens, 0);
    g_array_set_size(run->outcomes, 0);
    if (run->settings->progress)
        run->settings->progress((gint64)run->totals->mails, run->source->kind->remaining(run->source),
                                run->settings->progress_data);
    return ok;
}

static gboolean digest_mail(const struct mail *mail, guint8 *digest, GError **error)
{
    if (mail->body)
        return blob_sha256(mail->body, digest, error);
    /* Its bytes were never had: the reference stands in for them. */
    struct sha256 *sum = sha256_new();
    sha256_add(sum, mail->ref, strlen(mail->ref));
    sha256_take(sum, digest);
    sha256_free(sum);
    return TRUE;
}

static void window_clear(struct window *window)
{
    for (guint i = 0; i < window->n; i++)
        mail_clear(&window->slots[i].mail);
    window->n = 0;
}

static gboolean stopped(const struct run *run)
{
    return run->settings->stop && *run->settings->stop;
}

static gboolean window_fill(struct run *run, struct window *window, GError **error)
{
    guint64 bytes = 0;
    while (window->n < WINDOW_MAILS && bytes < WINDOW_BYTES && !stopped(run)) {
        struct slot *slot = &window->slots[window->n];
        g_autoptr(GError) failure = NULL;
        memset(slot, 0, sizeof *slot);
        if (!run->source->kind->next(run->source, &slot->mail, &failure)) {
            run->last = TRUE;
            if (!failure)
                return TRUE;
            g_propagate_error(error, g_steal_pointer(&failure));
            return FALSE;
        }
        step("a mail was taken");
        /* Who stops a delivery also closes its pipe: what came may be a part of the mail. */
        if (stopped(run)) {
            mail_clear(&slot->mail);
            break;
        }
        if (!digest_mail(&slot->mail, slot->sha256, error)) {
            mail_clear(&slot->mail);
            return FALSE;
        }
        window->n++;
        guint64 size = slot->mail.body ? blob_size(slot->mail.body) : 0;
        bytes += size;
        run->totals->bytes += size;
    }
    run->last = run->last || stopped(run);
    return TRUE;
}

/* ---- answers of the workers ---- */

static const struct journal *on_answer(void *self, const struct mail *mail, GError **error)
{
    struct run *run = self;
    const struct slot *slot = (const struct slot *)(gconstpointer)mail;
    const struct ledger_message row = journey_row(mail, slot->sha256);
    return journal_writer_begin(&run->told, run->writer, run->settings->keep_subject, &row, error)
               ? &run->told.journal
               : NULL;
}

/* A mail that the ledger knows: settled as then when it is the same one at the same place, else one more row.
 */
static gboolean known_mail(struct run *run, const struct slot *slot, enum outcome outcome, gboolean resumed,
                           GError **error)
{
    if (resumed) {
        run->totals->mails++;
        run->totals->resumed++;
        queue_settle(run, slot->mail.token, outcome);
        return TRUE;
    }
    const struct ledger_message row = journey_row(&slot->mail, slot->sha256);
    return writer_message_duplicate(run->writer, &row, error);
}

static gboolean take_mail(struct run *run, const struct slot *slot, GError **error)
{
    if (run->crew && slot->mail.body)
        return crew_add(run->crew, &slot->mail, error);
    return journey_mail(run->writer, &slot->mail, slot->sha256, run->settings, error);
}

static gboolean window_offer(struct run *run, struct window *window, GError **error)
{
    const guint8 *digests[WINDOW_MAILS];
    const char *refs[WINDOW_MAILS];
    gboolean identities[WINDOW_MAILS], resumed[WINDOW_MAILS];
    int outcomes[WINDOW_MAILS];
    for (guint i = 0; i < window->n; i++) {
        digests[i] = window->slots[i].sha256;
        refs[i] = window->slots[i].mail.ref;
        identities[i] = window->slots[i].mail.ref_is_identity;
    }
    if (window->n &&
        !writer_known(run->writer, window->n, digests, refs, identities, outcomes, resumed, error))
        return FALSE;
    /* First what needs no worker: an answer that is still coming shares the writer with nobody. */
    for (guint pass = run->crew ? 0 : 1; pass < 2; pass++) {
        for (guint i = 0; i < window->n; i++) {
            const struct slot *slot = &window->slots[i];
            gboolean known = outcomes[i] >= 0;
            if (run->crew && (pass == 1) != (!known && slot->mail.body))
                continue;
            gboolean ok = known ? known_mail(run, slot, (enum outcome)outcomes[i], resumed[i], error)
                                : take_mail(run, slot, error);
            if (!ok || !settle(run, error))
                return FALSE;
        }
    }
    return !run->crew || crew_poke(run->crew, error);
}

/* Until every mail of the window has been written. */
static gboolean window_finish(struct run *run, struct window *window, GError **error)
{
    gboolean ok = (!run->crew || crew_finish(run->crew, error)) && settle(run, error);
    window_clear(window);
    return ok;
}

static gboolean run_windows(struct run *run, struct window *windows, GError **error)
{
    g_autoptr(GError) broken = NULL;
    guint turn = 0;
    while (!run->last && !broken) {
        struct window *next = &windows[turn], *flying = &windows[!turn];
        window_fill(run, next, &broken);
        if (!window_finish(run, flying, error) || !window_offer(run, next, error)) {
            settle(run, NULL);
            return FALSE;
        }
        turn = !turn;
    }
    if (!window_finish(run, &windows[!turn], error)) {
        settle(run, NULL);
        return FALSE;
    }
    /* What came before a source broke off is as good as any other mail. */
    gboolean ok = writer_flush(run->writer, broken ? NULL : error) && settle(run, broken ? NULL : error);
    if (broken) {
        g_propagate_error(error, g_steal_pointer(&broken));
        return FALSE;
    }
    if (ok && ((run->crew && crew_left(run->crew, error)) || writer_left(run->writer, error)))
        return FALSE;
    return ok && run->source->kind->settle(run->source, NULL, NULL, 0, error);
}

gboolean ingest_run(struct db *db, struct source *source, const struct run_settings *settings,
                    struct run_totals *totals, GError **error)
{
    struct run run = {.source = source,
                      .settings = settings,
                      .totals = totals,
                      .tokens = g_array_new(FALSE, FALSE, sizeof(guint64)),
                      .outcomes = g_array_new(FALSE, FALSE, sizeof(enum outcome))};
    const struct crew_verbs verbs = {on_answer, &run};
    run.writer = writer_new(db, settings->writer, on_settled, &run);
    run.crew = settings->nursery ? crew_new(settings->nursery, settings->workers, settings, &verbs) : NULL;
    struct window *windows = g_new0(struct window, 2);
    gboolean ok = run_windows(&run, windows, error);
    crew_free(run.crew);
    window_clear(&windows[0]);
    window_clear(&windows[1]);
    g_free(windows);
    totals->problems += writer_problems(run.writer);
    writer_free(run.writer);
    g_array_free(run.tokens, TRUE);
    g_array_free(run.outcomes, TRUE);
    if (ok && stopped(&run)) {
        g_set_error(error, WS_ERROR, WS_ERROR_INTERRUPTED,
                    "stopped by a signal; what was committed is settled");
        return FALSE;
    }
    return ok;
}
