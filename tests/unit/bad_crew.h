/* A crew with workers that misbehave at mails of certain names, and what is told of its mails. */
#pragma once

#include "ingest/crew.h"
#include "ingest/orders.h"
#include "ingest/wire.h"
#include "ingest/worker.h"
#include "tests/unit/unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAILS_MOST 400

/* Shared by all processes: how many workers were asked to read a mail that only some of them survive. */
static volatile guint *visits;
/* And how many workers there were. */
static volatile guint *born;

/* ---- the worker's side ---- */

struct bad_worker {
    int socket;
    gpointer suffixes;
    struct orders_settings settings;
    struct wire_writer *writer;
};

static gboolean send_all(gpointer data, const guint8 *bytes, gsize n, GError **error G_GNUC_UNUSED)
{
    const struct bad_worker *worker = data;
    while (n) {
        ssize_t sent = send(worker->socket, bytes, n, MSG_NOSIGNAL);
        if (sent < 0)
            _exit(1);
        bytes += sent;
        n -= (gsize)sent;
    }
    return TRUE;
}

static void send_lie(const struct bad_worker *worker)
{
    static const guint8 lie[64] = {8, 0, 0, 0, 0xff, 0xff, 0, 0};
    send_all((gpointer)worker, lie, sizeof lie, NULL);
}

/* As a library that a mail has broken would behave. */
static void misbehave(struct bad_worker *worker, const char *name)
{
    if (g_str_equal(name, "crash"))
        raise(SIGSEGV);
    if (g_str_equal(name, "crash at first") && __atomic_fetch_add(visits, 1, __ATOMIC_SEQ_CST) == 0)
        raise(SIGSEGV);
    if (g_str_equal(name, "killed") ||
        (g_str_equal(name, "killed four times") && __atomic_fetch_add(visits, 1, __ATOMIC_SEQ_CST) < 4))
        raise(SIGKILL);
    if (g_str_equal(name, "spin"))
        for (volatile gboolean on = TRUE; on;)
            ;
    if (g_str_equal(name, "sleep"))
        while (read(worker->socket, &(char){0}, 1) > 0)
            ;
    if (g_str_equal(name, "lie"))
        send_lie(worker);
    if (g_str_equal(name, "eat")) {
        for (;;)
            memset(g_malloc(16 << 20), 1, 16 << 20);
    }
    if (g_str_equal(name, "open"))
        socket(AF_INET, SOCK_STREAM, 0);
    if (g_str_equal(name, "half")) {
        /* Dies in the middle of a long answer, of which the beginning is told by then. */
        const struct journal *journal = wire_writer_journal(worker->writer);
        const struct mail_auth auth = {.result = AUTH_UNKNOWN};
        const struct ledger_document row = {
            .path = "half", .kind = "text", .size = 1, .outcome = OUTCOME_NO_REPORT};
        journal->brought_by(journal->self, &auth);
        for (guint i = 0; i < 20000; i++)
            journal->document(journal->self, &row, NULL);
        wire_writer_flush(worker->writer, NULL);
        _exit(3);
    }
}

static void read_mail(struct bad_worker *worker, const struct orders_mail *order)
{
    g_autoptr(GBytes) bytes = g_bytes_new_static(order->bytes, order->size);
    g_autoptr(GError) reason = NULL;
    struct mail mail = {.name = (char *)(guintptr)order->name, .body = blob_new_bytes(bytes)};
    misbehave(worker, order->name ? order->name : "");
    if (order->name && g_str_equal(order->name, "no disk")) {
        reason = g_error_new(WS_ERROR, WS_ERROR_SYSTEM, "no space left");
        wire_writer_give_up(worker->writer, reason);
    } else if (order->name && g_str_equal(order->name, "problem at first") &&
               __atomic_fetch_add(visits, 1, __ATOMIC_SEQ_CST) == 0) {
        const struct journal *journal = wire_writer_journal(worker->writer);
        const struct mail_auth auth = {.result = AUTH_UNKNOWN};
        const struct mail_end end = {.code = "mime", .detail = "out of memory"};
        journal->brought_by(journal->self, &auth);
        journal->end(journal->self, &end, NULL);
    } else if (!journey_tell(wire_writer_journal(worker->writer), &mail, &worker->settings.run, &reason)) {
        wire_writer_give_up(worker->writer, reason);
    }
    wire_writer_flush(worker->writer, NULL);
    blob_unref(mail.body);
}

static int serve_badly(gpointer prepared, int socket, const int *scratch, guint n)
{
    struct bad_worker worker = {.socket = socket, .suffixes = prepared};
    g_autoptr(GByteArray) in = g_byte_array_new();
    guint8 buf[65536];
    ssize_t got;
    blob_use_scratch(scratch, n);
    __atomic_fetch_add(born, 1, __ATOMIC_SEQ_CST);
    worker.writer = wire_writer_new(send_all, &worker);
    while ((got = read(socket, buf, sizeof buf)) > 0) {
        struct orders_mail mail;
        gsize used;
        enum orders_status status;
        g_byte_array_append(in, buf, (guint)got);
        while ((status = orders_take(in->data, in->len, &used, &worker.settings, prepared, &mail, NULL)) !=
               ORDERS_MORE) {
            if (status == ORDERS_MAIL)
                read_mail(&worker, &mail);
            g_byte_array_remove_range(in, 0, (guint)used);
        }
    }
    return 0;
}

static gpointer prepare(void)
{
    return worker_work.prepare();
}

static const struct nursery_work bad_work = {.prepare = prepare, .serve = serve_badly};

/* ---- the other side ---- */

struct told {
    guint begun, ended, documents, documents_of_this, problems;
    gulong slow;         /* microseconds that the first mail takes to be stored */
    char *code, *detail; /* of the last problem */
    GHashTable *ends;    /* of mails, by address */
    struct report_sink reports;
    struct tls_sink tls;
    struct journal journal;
};

static void on_brought_by(void *self G_GNUC_UNUSED, const struct mail_auth *auth G_GNUC_UNUSED)
{
}

static gboolean on_document(void *self, const struct ledger_document *row G_GNUC_UNUSED,
                            GError **error G_GNUC_UNUSED)
{
    struct told *told = self;
    told->documents_of_this++;
    return TRUE;
}

static void on_drop(void *self G_GNUC_UNUSED)
{
}

static void on_warn(void *self G_GNUC_UNUSED, guint first G_GNUC_UNUSED, const char *code G_GNUC_UNUSED)
{
}

static gboolean on_end(void *self, const struct mail_end *end, GError **error G_GNUC_UNUSED)
{
    struct told *told = self;
    told->ended++;
    told->documents += told->documents_of_this;
    if (end->code) {
        told->problems++;
        g_free(told->code);
        g_free(told->detail);
        told->code = g_strdup(end->code);
        told->detail = g_strdup(end->detail);
    }
    return TRUE;
}

static const struct journal *on_begin(void *self, const struct mail *mail, GError **error G_GNUC_UNUSED)
{
    struct told *told = self;
    if (!told->begun++)
        g_usleep(told->slow);
    told->documents_of_this = 0;
    g_hash_table_add(told->ends, (gpointer)mail);
    return &told->journal;
}

struct trial {
    struct limits limits;
    struct writer_settings writer;
    struct run_settings settings;
    struct domain_list *suffixes;
    struct nursery *nursery;
    struct told told;
    struct mail mails[MAILS_MOST];
    guint n;
    struct crew_verbs verbs;
    struct crew *crew;
};

static inline void trial_begin(struct trial *trial, const struct nursery_work *work, guint workers)
{
    memset(trial, 0, sizeof *trial);
    *visits = *born = 0;
    g_autoptr(GError) error = NULL;
    trial->nursery = nursery_start(work, &error);
    g_assert_no_error(error);
    trial->limits = limits_default;
    trial->limits.worker_seconds = 1;
    trial->writer = writer_defaults;
    trial->suffixes = domain_list_new();
    trial->settings = (struct run_settings){
        .limits = &trial->limits, .writer = &trial->writer, .suffixes = trial->suffixes, .now = 1790000000};
    trial->told.ends = g_hash_table_new(NULL, NULL);
    trial->told.journal = (struct journal){.brought_by = on_brought_by,
                                           .reports = &trial->told.reports,
                                           .tls = &trial->told.tls,
                                           .document = on_document,
                                           .drop_reports = on_drop,
                                           .warn = on_warn,
                                           .end = on_end,
                                           .self = &trial->told};
    trial->verbs = (struct crew_verbs){on_begin, &trial->told};
    trial->crew = crew_new(trial->nursery, workers, &trial->settings, &trial->verbs);
}

static inline gboolean trial_add(struct trial *trial, const char *name, const char *text, GError **error)
{
    struct mail *mail = &trial->mails[trial->n++];
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
    mail->name = g_strdup(name);
    mail->body = blob_new_bytes(bytes);
    return crew_add(trial->crew, mail, error);
}

static inline void trial_end(struct trial *trial)
{
    crew_free(trial->crew);
    nursery_stop(trial->nursery);
    for (guint i = 0; i < trial->n; i++)
        mail_clear(&trial->mails[i]);
    g_hash_table_unref(trial->told.ends);
    domain_list_free(trial->suffixes);
    g_free(trial->told.code);
    g_free(trial->told.detail);
}

static const char plain[] = "From: a@example.com\nSubject: nothing\n\nNothing.\n";

static inline void share_counts(void)
{
    visits = mmap(NULL, 2 * sizeof *visits, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    born = visits + 1;
}
