#include "ingest/run.h"

#include "ingest/journey.h"
#include "parser/sha256.h"
#include "parser/step.h"

#include <string.h>

/* Mails that are looked up in the ledger together: enough to share one statement, few enough to wait for. */
#define WINDOW_MAILS 256
#define WINDOW_BYTES (16 * 1024 * 1024)

struct window {
    struct mail mails[WINDOW_MAILS];
    guint8 digests[WINDOW_MAILS][32];
    guint n;
    gboolean last; /* the source has no more */
};

struct run {
    struct source *source;
    const struct run_settings *settings;
    struct run_totals *totals;
    struct writer *writer;
    GArray *tokens;   /* guint64: committed, not settled yet */
    GArray *outcomes; /* enum outcome, beside tokens */
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
        mail_clear(&window->mails[i]);
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
        struct mail *mail = &window->mails[window->n];
        g_autoptr(GError) failure = NULL;
        memset(mail, 0, sizeof *mail);
        if (!run->source->kind->next(run->source, mail, &failure)) {
            window->last = TRUE;
            if (failure)
                g_propagate_error(error, g_steal_pointer(&failure));
            return failure == NULL;
        }
        step("a mail was taken");
        if (!digest_mail(mail, window->digests[window->n], error)) {
            mail_clear(mail);
            return FALSE;
        }
        window->n++;
        bytes += mail->body ? blob_size(mail->body) : 0;
    }
    window->last = window->last || stopped(run);
    return TRUE;
}

/* A mail that the ledger knows: settled as then when it is the same one at the same place, else one more row.
 */
static gboolean known_mail(struct run *run, const struct mail *mail, const guint8 *digest,
                           enum outcome outcome, gboolean resumed, GError **error)
{
    if (resumed) {
        run->totals->mails++;
        run->totals->resumed++;
        queue_settle(run, mail->token, outcome);
        return TRUE;
    }
    const struct ledger_message row = journey_row(mail, digest);
    return writer_message_duplicate(run->writer, &row, error);
}

static gboolean window_write(struct run *run, struct window *window, GError **error)
{
    const guint8 *digests[WINDOW_MAILS];
    const char *refs[WINDOW_MAILS];
    gboolean identities[WINDOW_MAILS], resumed[WINDOW_MAILS];
    int outcomes[WINDOW_MAILS];
    for (guint i = 0; i < window->n; i++) {
        digests[i] = window->digests[i];
        refs[i] = window->mails[i].ref;
        identities[i] = window->mails[i].ref_is_identity;
    }
    if (window->n &&
        !writer_known(run->writer, window->n, digests, refs, identities, outcomes, resumed, error))
        return FALSE;
    for (guint i = 0; i < window->n; i++) {
        struct mail *mail = &window->mails[i];
        gboolean ok = outcomes[i] >= 0
                          ? known_mail(run, mail, digests[i], (enum outcome)outcomes[i], resumed[i], error)
                          : journey_mail(run->writer, mail, digests[i], run->settings, error);
        if (!ok || !settle(run, error))
            return FALSE;
        run->totals->bytes += mail->body ? blob_size(mail->body) : 0;
        mail_clear(mail);
    }
    window->n = 0;
    return TRUE;
}

static gboolean run_windows(struct run *run, struct window *window, GError **error)
{
    while (!window->last) {
        g_autoptr(GError) broken = NULL;
        gboolean filled = window_fill(run, window, &broken);
        /* What came before a source broke off is as good as any other mail. */
        if (!window_write(run, window, error)) {
            settle(run, NULL);
            return FALSE;
        }
        if (!filled) {
            if (writer_flush(run->writer, NULL))
                settle(run, NULL);
            g_propagate_error(error, g_steal_pointer(&broken));
            return FALSE;
        }
    }
    return writer_flush(run->writer, error) && settle(run, error) &&
           run->source->kind->settle(run->source, NULL, NULL, 0, error);
}

gboolean ingest_run(struct db *db, struct source *source, const struct run_settings *settings,
                    struct run_totals *totals, GError **error)
{
    struct run run = {.source = source,
                      .settings = settings,
                      .totals = totals,
                      .tokens = g_array_new(FALSE, FALSE, sizeof(guint64)),
                      .outcomes = g_array_new(FALSE, FALSE, sizeof(enum outcome))};
    run.writer = writer_new(db, settings->writer, on_settled, &run);
    struct window *window = g_new0(struct window, 1);
    gboolean ok = run_windows(&run, window, error);
    window_clear(window);
    g_free(window);
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
