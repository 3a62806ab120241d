/* A crew with workers that misbehave at mails of certain names: no mail is lost or told twice, and nobody
 * else suffers. */
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
    if (g_str_equal(name, "spin"))
        for (volatile guint i = 0;; i++)
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
    told->begun++;
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

static void trial_begin(struct trial *trial, const struct nursery_work *work, guint workers)
{
    memset(trial, 0, sizeof *trial);
    *visits = 0;
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

static gboolean trial_add(struct trial *trial, const char *name, const char *text, GError **error)
{
    struct mail *mail = &trial->mails[trial->n++];
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
    mail->name = g_strdup(name);
    mail->body = blob_new_bytes(bytes);
    return crew_add(trial->crew, mail, error);
}

static void trial_end(struct trial *trial)
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

static void test_many(void)
{
    struct trial trial;
    g_autoptr(GError) error = NULL;
    trial_begin(&trial, &worker_work, 3);
    for (guint i = 0; i < 300; i++)
        g_assert_true(trial_add(&trial, "good", plain, &error));
    g_assert_true(crew_finish(trial.crew, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(trial.told.ended, ==, 300);
    g_assert_cmpuint(trial.told.documents, ==, 300);
    g_assert_cmpuint(trial.told.problems, ==, 0);
    g_assert_cmpuint(g_hash_table_size(trial.told.ends), ==, 300);
    g_assert_false(crew_left(trial.crew, &error));
    trial_end(&trial);
}

/* One bad mail among forty good ones. */
static void test_bad(gconstpointer data)
{
    const char *const *row = data;
    const char *const name = row[0], *const detail = row[1];
    struct trial trial;
    g_autoptr(GError) error = NULL;
    trial_begin(&trial, &bad_work, 2);
    for (guint i = 0; i < 41; i++)
        g_assert_true(trial_add(&trial, i == 7 ? name : "good", plain, &error));
    g_assert_true(crew_finish(trial.crew, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(trial.told.ended, ==, 41);
    g_assert_cmpuint(trial.told.documents, ==, detail ? 40 : 41);
    g_assert_cmpuint(trial.told.problems, ==, detail ? 1 : 0);
    g_assert_cmpstr(trial.told.code, ==, detail ? "worker" : NULL);
    if (detail && (!trial.told.detail || !strstr(trial.told.detail, detail)))
        g_test_fail_printf("'%s' is not in '%s'", detail, trial.told.detail ? trial.told.detail : "");
    g_assert_false(crew_left(trial.crew, &error));
    trial_end(&trial);
}

/* A mail is a problem only when a fresh worker says so, too. */
static void test_doubt(void)
{
    struct trial trial;
    g_autoptr(GError) error = NULL;
    trial_begin(&trial, &bad_work, 1);
    g_assert_true(trial_add(&trial, "problem at first", plain, &error));
    g_assert_true(crew_finish(trial.crew, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(trial.told.begun, ==, 2);
    g_assert_cmpuint(trial.told.ended, ==, 1);
    g_assert_cmpuint(trial.told.problems, ==, 0);
    trial_end(&trial);
}

/* What the disk does to a mail is not the mail's fault: it is left, and the others are read. */
static void test_left(void)
{
    struct trial trial;
    g_autoptr(GError) error = NULL;
    trial_begin(&trial, &bad_work, 2);
    g_assert_true(trial_add(&trial, "no disk", plain, &error));
    g_assert_true(trial_add(&trial, "good", plain, &error));
    g_assert_true(crew_finish(trial.crew, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(trial.told.ended, ==, 1);
    g_assert_true(crew_left(trial.crew, &error));
    g_assert_error(error, WS_ERROR, WS_ERROR_SYSTEM);
    trial_end(&trial);
}

static int serve_nothing(gpointer prepared G_GNUC_UNUSED, int socket G_GNUC_UNUSED,
                         const int *scratch G_GNUC_UNUSED, guint n G_GNUC_UNUSED)
{
    return 1;
}

/* Workers that read nothing at all are no mail's fault. */
static void test_unsound(void)
{
    static const struct nursery_work work = {.prepare = prepare, .serve = serve_nothing};
    struct trial trial;
    g_autoptr(GError) error = NULL;
    trial_begin(&trial, &work, 1);
    gboolean ok = trial_add(&trial, "good", plain, &error) && crew_finish(trial.crew, &error);
    g_assert_false(ok);
    g_assert_error(error, WS_ERROR, WS_ERROR_SYSTEM);
    g_assert_cmpuint(trial.told.ended, ==, 0);
    trial_end(&trial);
}

/* Where a mail is a file, the worker gets the file. */
static void test_file(void)
{
    struct trial trial;
    g_autoptr(GError) error = NULL;
    trial_begin(&trial, &worker_work, 2);
    for (guint i = 0; i < 5; i++) {
        struct mail *mail = &trial.mails[trial.n++];
        struct spool *spool = spool_new(G_MAXUINT64, "message_size");
        g_autofree char *line = g_strnfill(999, 'x');
        line[998] = '\n';
        spool_add(spool, plain, strlen(plain), NULL);
        for (guint n = 0; n < 3000; n++)
            spool_add(spool, line, 999, NULL);
        mail->body = spool_finish(spool, &error);
        g_assert_no_error(error);
        g_assert_null(blob_bytes(mail->body));
        g_assert_true(crew_add(trial.crew, mail, &error));
        g_assert_true(trial_add(&trial, "good", plain, &error));
    }
    g_assert_true(crew_finish(trial.crew, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(trial.told.ended, ==, 10);
    g_assert_cmpuint(trial.told.documents, ==, 10);
    g_assert_cmpuint(trial.told.problems, ==, 0);
    trial_end(&trial);
}

int main(int argc G_GNUC_UNUSED, char **argv)
{
    static const char *const bad[][2] = {
        {"crash", "signal 11"}, {"crash at first", NULL},         {"spin", "worker_seconds"},
        {"sleep", "no sign"},   {"lie", "senseless answer"},      {"eat", "memory"},
        {"open", "forbidden"},  {"half", "two worker processes"},
    };
    unit_init(argv[0]);
    visits = mmap(NULL, sizeof *visits, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g_test_add_func("/crew/many", test_many);
    for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *path = g_strdup_printf("/crew/bad/%s", bad[i][0]);
        g_test_add_data_func(path, bad[i], test_bad);
    }
    g_test_add_func("/crew/doubt", test_doubt);
    g_test_add_func("/crew/left", test_left);
    g_test_add_func("/crew/unsound", test_unsound);
    g_test_add_func("/crew/file", test_file);
    return g_test_run();
}
