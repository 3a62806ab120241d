#include "ingest/crew.h"

#include "ingest/fdpass.h"

#include "ingest/orders.h"
#include "ingest/run.h"
#include "ingest/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* In flight to one worker: enough to share switches, few enough to send again. */
#define FLIGHT_MAILS 32
#define FLIGHT_BYTES (512 * 1024)
/* Answers up to here are replayed when they are whole, longer ones as they come. */
#define WHOLE_BYTES (128 * 1024)
#define ANSWER_BYTES (2 * WHOLE_BYTES)
/* Time of listening without a sign of life, in times of what it may be silent while it works. */
#define ASLEEP 6
/* Silence that is so short is not looked into. */
#define SHORT (G_USEC_PER_SEC / 10)
#define TRIES 2
/* Workers killed by SIGKILL that was not ours: by somebody, or for want of memory, of which a mail can be the
 * cause. */
#define KILLS 6
/* Times that the only worker is started until it lives: it may be killed before it has anything to do. */
#define STARTS 3
#define UNKNOWN G_MAXUINT64

/* A mail that was handed out. */
struct job {
    const struct mail *mail; /* lent */
    guint tries;             /* workers that died of it or called it a problem */
    guint kills;             /* workers that somebody killed at it, beside those */
    char *death;             /* how the last one of them died; NULL when it lived */
};

struct worker {
    struct worker_process process;
    gboolean alive;
    GQueue jobs;     /* struct job, in flight, the oldest first */
    guint64 flight;  /* bytes of their mails */
    GByteArray *out; /* orders; `sent` of them are gone */
    gsize sent;
    int file;       /* goes with the first byte of `out`; or -1 */
    GByteArray *in; /* answers; `taken` of them are replayed, and `looked` of the rest hold no end */
    gsize taken, looked;
    struct wire_reader *reader;
    gboolean whole; /* an answer, or something that is none, waits in `in` */
    gboolean begun; /* the oldest one's answer is being replayed */
    gboolean gone;  /* nothing more comes */
    gint64 heard;   /* when it last did something, on the crew's clock */
    guint64 cpu;    /* microseconds that it had used soon after that, or UNKNOWN */
};

/* Stands between an answer and where it is told, to hold back the end of a mail that is called a problem. */
struct tap {
    struct journal journal;
    const struct journal *inner;
    gboolean doubt;   /* a problem is not believed yet */
    gboolean problem; /* it was called one */
    gboolean held;    /* its end was held back */
};

struct crew {
    struct nursery *nursery;
    const struct run_settings *settings;
    const struct crew_verbs *verbs;
    struct tap tap;
    GByteArray *greeting;   /* the order that every worker begins with */
    struct worker *workers; /* `most`, and the one for second opinions behind them */
    guint most;
    struct pollfd *pollers; /* one for each worker */
    struct worker *current; /* whose answer is replayed as it comes */
    GQueue waiting;         /* struct job: for any worker */
    GQueue again;           /* struct job: for a fresh one */
    guint flying;           /* jobs in all hands and queues */
    gboolean scarce;        /* there was no room on the machine for one more worker */
    gint64 clock;           /* microseconds of listening: while we are busy, nobody is silent */
    GError *left;           /* why the first of the mails was left that could not be looked at */
};

static void tap_brought_by(void *self, const struct mail_auth *auth)
{
    const struct journal *inner = ((struct tap *)self)->inner;
    inner->brought_by(inner->self, auth);
}

static gboolean tap_failure(void *self, const struct failure_report *report, GError **error)
{
    const struct journal *inner = ((struct tap *)self)->inner;
    return inner->failure(inner->self, report, error);
}

static gboolean tap_document(void *self, const struct ledger_document *document, GError **error)
{
    struct tap *tap = self;
    tap->problem = tap->problem || document->outcome == OUTCOME_PROBLEM;
    return tap->inner->document(tap->inner->self, document, error);
}

static void tap_drop_reports(void *self)
{
    const struct journal *inner = ((struct tap *)self)->inner;
    inner->drop_reports(inner->self);
}

static void tap_warn(void *self, guint first, const char *code)
{
    const struct journal *inner = ((struct tap *)self)->inner;
    inner->warn(inner->self, first, code);
}

static gboolean tap_end(void *self, const struct mail_end *end, GError **error)
{
    struct tap *tap = self;
    tap->problem = tap->problem || end->code;
    tap->held = tap->doubt && tap->problem;
    return tap->held || tap->inner->end(tap->inner->self, end, error);
}

static const struct journal *tap_begin(struct tap *tap, const struct journal *inner, gboolean doubt)
{
    *tap = (struct tap){.journal = {.brought_by = tap_brought_by,
                                    .reports = inner->reports,
                                    .tls = inner->tls,
                                    .failure = tap_failure,
                                    .document = tap_document,
                                    .drop_reports = tap_drop_reports,
                                    .warn = tap_warn,
                                    .end = tap_end,
                                    .self = tap},
                        .inner = inner,
                        .doubt = doubt};
    return &tap->journal;
}

static struct job *job_new(const struct mail *mail)
{
    struct job *job = g_new0(struct job, 1);
    job->mail = mail;
    return job;
}

static void job_free(gpointer data)
{
    struct job *job = data;
    g_free(job->death);
    g_free(job);
}

struct crew *crew_new(struct nursery *nursery, guint most, const struct run_settings *settings,
                      const struct crew_verbs *verbs)
{
    struct crew *crew = g_new0(struct crew, 1);
    crew->nursery = nursery;
    crew->settings = settings;
    crew->verbs = verbs;
    crew->most = most;
    crew->greeting = g_byte_array_new();
    orders_add_settings(crew->greeting, settings);
    crew->workers = g_new0(struct worker, most + 1);
    crew->pollers = g_new0(struct pollfd, most + 1);
    for (guint i = 0; i <= most; i++)
        crew->workers[i].file = -1;
    return crew;
}

static void drop_file(struct worker *worker)
{
    if (worker->file >= 0)
        close(worker->file);
    worker->file = -1;
}

/* Everything of a worker but its jobs. */
static void worker_clear(struct worker *worker)
{
    g_clear_pointer(&worker->out, g_byte_array_unref);
    g_clear_pointer(&worker->in, g_byte_array_unref);
    g_clear_pointer(&worker->reader, wire_reader_free);
    drop_file(worker);
    worker->sent = worker->taken = worker->looked = 0;
    worker->flight = 0;
    worker->alive = worker->begun = worker->whole = worker->gone = FALSE;
}

void crew_free(struct crew *crew)
{
    if (!crew)
        return;
    for (guint i = 0; i <= crew->most; i++) {
        struct worker *worker = &crew->workers[i];
        if (worker->alive)
            g_free(nursery_end(crew->nursery, &worker->process, NULL));
        worker_clear(worker);
        g_queue_clear_full(&worker->jobs, job_free);
    }
    g_queue_clear_full(&crew->waiting, job_free);
    g_queue_clear_full(&crew->again, job_free);
    g_byte_array_unref(crew->greeting);
    g_clear_error(&crew->left);
    g_free(crew->workers);
    g_free(crew->pollers);
    g_free(crew);
}

static void worker_heard(const struct crew *crew, struct worker *worker)
{
    worker->heard = crew->clock;
    worker->cpu = UNKNOWN;
}

/* A light one does for most mails; what it cannot read is for the one behind the others, which is whole. */
static gboolean worker_start(struct crew *crew, struct worker *worker, gboolean light, GError **error)
{
    if (!nursery_worker(crew->nursery, light, &worker->process, error))
        return FALSE;
    worker->alive = TRUE;
    worker->out = g_byte_array_new();
    worker->in = g_byte_array_new();
    worker->reader = wire_reader_new(crew->settings->limits, crew->settings->suffixes);
    g_byte_array_append(worker->out, crew->greeting->data, crew->greeting->len);
    worker_heard(crew, worker);
    return TRUE;
}

/* ---- handing out ---- */

static guint64 job_bytes(const struct job *job)
{
    return blob_bytes(job->mail->body) ? blob_size(job->mail->body) : 0;
}

static void worker_send(struct worker *worker);

static gboolean give(const struct crew *crew, struct worker *worker, struct job *job, GError **error)
{
    if (!worker->jobs.length)
        worker_heard(crew, worker);
    g_queue_push_tail(&worker->jobs, job);
    worker->flight += job_bytes(job);
    int fd = orders_add_mail(worker->out, job->mail);
    if (fd < 0)
        return TRUE;
    /* For reading alone; without /proc the worker gets it as it is. */
    worker->file = fdpass_reopen(fd, NULL);
    if (worker->file < 0)
        worker->file = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (worker->file < 0) {
        g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not hand a file to a worker: %s",
                    g_strerror(errno));
        return FALSE;
    }
    worker_send(worker);
    return TRUE;
}

static gboolean has_room(const struct worker *worker, const struct job *job)
{
    gboolean file = !blob_bytes(job->mail->body);
    if (!worker->jobs.length)
        return worker->file < 0 && (!file || worker->sent == worker->out->len);
    return !file && worker->file < 0 && worker->jobs.length < FLIGHT_MAILS &&
           worker->flight + job_bytes(job) <= FLIGHT_BYTES;
}

/* One that there is no other for: somebody may kill it at its start. */
static gboolean worker_start_patiently(struct crew *crew, struct worker *worker, gboolean light,
                                       GError **error)
{
    for (guint tries = 1; tries < STARTS; tries++)
        if (worker_start(crew, worker, light, NULL))
            return TRUE;
    return worker_start(crew, worker, light, error);
}

/* One that cannot be had is not missed while there are others. */
static gboolean start_one_more(struct crew *crew, struct worker *worker, gboolean others, GError **error)
{
    g_autoptr(GError) failure = NULL;
    if ((others ? worker_start : worker_start_patiently)(crew, worker, crew->settings->light, &failure))
        return TRUE;
    crew->scarce = TRUE;
    if (!others)
        g_propagate_error(error, g_steal_pointer(&failure));
    return others;
}

/* The worker with the least to do that has room; a new one while all have something to do. */
static gboolean find_hand(struct crew *crew, const struct job *job, struct worker **worker_r, GError **error)
{
    struct worker *best = NULL, *unborn = NULL;
    gboolean others = FALSE;
    for (guint i = 0; i < crew->most; i++) {
        struct worker *worker = &crew->workers[i];
        others = others || worker->alive;
        if (!worker->alive)
            unborn = unborn ? unborn : worker;
        else if (has_room(worker, job) && (!best || worker->jobs.length < best->jobs.length))
            best = worker;
    }
    if (unborn && !(crew->scarce && others) && (!best || best->jobs.length >= FLIGHT_MAILS / 2)) {
        if (!start_one_more(crew, unborn, others, error))
            return FALSE;
        best = unborn->alive ? unborn : best;
        /* Its first order is not sent yet, and no descriptor may overtake it. */
        if (unborn->alive && !blob_bytes(job->mail->body))
            worker_send(unborn);
    }
    *worker_r = best && has_room(best, job) ? best : NULL;
    return TRUE;
}

static gboolean hand_out(struct crew *crew, GError **error)
{
    struct worker *second = &crew->workers[crew->most];
    if (crew->again.length && !second->alive) {
        if (!worker_start_patiently(crew, second, FALSE, error))
            return FALSE;
        worker_send(second);
    }
    if (crew->again.length && !second->jobs.length && second->sent == second->out->len &&
        !give(crew, second, g_queue_pop_head(&crew->again), error))
        return FALSE;
    while (crew->waiting.length) {
        struct worker *worker;
        if (!find_hand(crew, g_queue_peek_head(&crew->waiting), &worker, error))
            return FALSE;
        if (!worker)
            break;
        if (!give(crew, worker, g_queue_pop_head(&crew->waiting), error))
            return FALSE;
    }
    return TRUE;
}

/* ---- a worker's end ---- */

static void job_over(struct crew *crew, struct job *job)
{
    crew->flying--;
    job_free(job);
}

/* Whether a fresh worker still reads what every worker can read. */
static gboolean machine_is_sound(struct crew *crew, GError **error)
{
    static const char sample[] = "From: sample@example.com\nSubject: sample\n\nNothing is in it.\n";
    g_autoptr(GBytes) bytes = g_bytes_new_static(sample, strlen(sample));
    struct mail mail = {.body = blob_new_bytes(bytes)};
    struct worker worker = {.file = -1};
    gboolean sound = FALSE, over = FALSE;
    gsize looked = 0;
    if (!worker_start_patiently(crew, &worker, FALSE, error)) {
        blob_unref(mail.body);
        return FALSE;
    }
    orders_add_mail(worker.out, &mail);
    blob_unref(mail.body);
    gint64 deadline = g_get_monotonic_time() + 10 * G_TIME_SPAN_SECOND;
    while (!sound && !over && g_get_monotonic_time() < deadline) {
        struct pollfd poller = {worker.process.socket,
                                (short)(POLLIN | (worker.sent < worker.out->len ? POLLOUT : 0)), 0};
        poll(&poller, 1, 100);
        worker_send(&worker);
        guint8 buf[4096];
        ssize_t got = read(worker.process.socket, buf, sizeof buf);
        if (got > 0)
            g_byte_array_append(worker.in, buf, (guint)got);
        over = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
        sound =
            wire_find_end(crew->settings->limits, worker.in->data, worker.in->len, &looked) == WIRE_MAIL_END;
    }
    g_autofree char *how = nursery_end(crew->nursery, &worker.process, NULL);
    worker_clear(&worker);
    if (!sound && error && !*error)
        g_set_error(
            error, WS_ERROR, WS_ERROR_SYSTEM,
            "could not read mail: a worker process that was given a sample %s\n"
            "hint: is there enough memory? --no-confine reads without workers, and without their protection",
            how);
    return sound;
}

/* The mail killed too many workers. */
static gboolean put_aside(struct crew *crew, struct job *job, GError **error)
{
    g_autofree char *number = job->kills ? g_strdup_printf("%u", job->tries + job->kills) : g_strdup("two");
    g_autofree char *detail =
        g_strdup_printf("%s worker processes failed at it; the last one %s", number, job->death);
    const struct mail_end end = {.code = "worker", .detail = detail};
    const struct mail_auth nobody = {.result = AUTH_UNKNOWN};
    const struct mail *mail = job->mail;
    job_over(crew, job);
    if (!machine_is_sound(crew, error))
        return FALSE;
    const struct journal *journal = crew->verbs->begin(crew->verbs->self, mail, error);
    if (!journal)
        return FALSE;
    journal->brought_by(journal->self, &nobody);
    return journal->end(journal->self, &end, error);
}

/* The oldest mail in flight is to blame; the others go out again. */
static gboolean bury(struct crew *crew, struct worker *worker, const char *why, GError **error)
{
    int status;
    g_autofree char *how = nursery_end(crew->nursery, &worker->process, &status);
    if (crew->current == worker)
        crew->current = NULL;
    worker_clear(worker);
    struct job *blamed = g_queue_pop_head(&worker->jobs);
    struct job *job;
    while ((job = g_queue_pop_tail(&worker->jobs)))
        g_queue_push_head(&crew->waiting, job);
    if (!blamed)
        return TRUE;
    g_free(blamed->death);
    blamed->death = why ? g_strdup(why) : g_steal_pointer(&how);
    if (!why && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        blamed->kills++;
    else
        blamed->tries++;
    if (blamed->tries >= TRIES || blamed->kills >= KILLS)
        return put_aside(crew, blamed, error);
    g_queue_push_tail(&crew->again, blamed);
    return TRUE;
}

/* ---- answers ---- */

/* The answer to the oldest mail is whole, or the worker gave up. A second opinion comes from a fresh worker,
 * which goes when it has given it. */
static gboolean answered(struct crew *crew, struct worker *worker, const GError *gave_up, GError **error)
{
    struct job *job = g_queue_pop_head(&worker->jobs);
    worker->flight -= job_bytes(job);
    worker->begun = FALSE;
    crew->current = NULL;
    if ((gave_up || crew->tap.held) && ++job->tries < TRIES) {
        g_clear_pointer(&job->death, g_free);
        g_queue_push_tail(&crew->again, job);
    } else {
        if (gave_up && !crew->left)
            crew->left = g_error_copy(gave_up);
        /* It is left: what was told of it is to be forgotten. */
        if (gave_up && !crew->verbs->begin(crew->verbs->self, job->mail, error))
            return FALSE;
        job_over(crew, job);
    }
    if (worker == &crew->workers[crew->most]) {
        g_free(nursery_end(crew->nursery, &worker->process, NULL));
        worker_clear(worker);
    }
    return TRUE;
}

/* Whether a whole answer waits, or something that is none. */
static gboolean is_whole(const struct crew *crew, struct worker *worker)
{
    if (!worker->whole)
        worker->whole = wire_find_end(crew->settings->limits, worker->in->data + worker->taken,
                                      worker->in->len - worker->taken, &worker->looked) != WIRE_MORE;
    return worker->whole;
}

/* Whether what has come from a worker can be replayed now: it is whole, or too long to wait for, and no other
 * worker's answer is in the middle. */
static gboolean is_ready(const struct crew *crew, struct worker *worker)
{
    if (crew->current)
        return crew->current == worker;
    return worker->in->len - worker->taken >= WHOLE_BYTES || is_whole(crew, worker);
}

static gboolean begin_answer(struct crew *crew, struct worker *worker, GError **error)
{
    const struct job *job = g_queue_peek_head(&worker->jobs);
    const struct journal *journal = crew->verbs->begin(crew->verbs->self, job->mail, error);
    if (!journal)
        return FALSE;
    wire_reader_begin(worker->reader, tap_begin(&crew->tap, journal, job->tries + 1 < TRIES));
    worker->begun = TRUE;
    crew->current = worker;
    return TRUE;
}

/* Replays one answer, or what there is of it. TRUE in *more_r when it was the end of one. */
static gboolean replay_one(struct crew *crew, struct worker *worker, gboolean *more_r, GError **error)
{
    g_autoptr(GError) failure = NULL;
    gsize used = 0;
    if (!worker->begun && !begin_answer(crew, worker, error))
        return FALSE;
    enum wire_status status = wire_reader_feed(worker->reader, worker->in->data + worker->taken,
                                               worker->in->len - worker->taken, &used, &failure);
    worker->taken += used;
    worker->looked = 0;
    worker->whole = FALSE;
    *more_r = status == WIRE_MAIL_END || status == WIRE_GAVE_UP;
    if (status == WIRE_LIE) {
        g_autofree char *why = g_strdup_printf("gave a senseless answer (%s)", failure->message);
        return bury(crew, worker, why, error);
    }
    if (status == WIRE_FAILED) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return FALSE;
    }
    return !*more_r || answered(crew, worker, status == WIRE_GAVE_UP ? failure : NULL, error);
}

static gboolean replay(struct crew *crew, struct worker *worker, GError **error)
{
    gboolean more = TRUE;
    while (more && worker->alive && worker->in->len > worker->taken) {
        if (!worker->jobs.length)
            return bury(crew, worker, "spoke without being asked", error);
        if (!is_ready(crew, worker))
            break;
        if (!replay_one(crew, worker, &more, error))
            return FALSE;
    }
    if (worker->alive && worker->taken) {
        g_byte_array_remove_range(worker->in, 0, (guint)worker->taken);
        worker->taken = 0;
        worker_heard(crew, worker);
    }
    return TRUE;
}

/* ---- bytes ---- */

/* Writes what the socket takes. That the worker is gone shows when it is read from. */
static void worker_send(struct worker *worker)
{
    gssize done = 1;
    while (done > 0 && worker->sent < worker->out->len) {
        const guint8 *data = worker->out->data + worker->sent;
        gsize n = worker->out->len - worker->sent;
        if (worker->file >= 0)
            done = fdpass_send(worker->process.socket, worker->file, data, n, NULL);
        else
            done = send(worker->process.socket, data, n, MSG_NOSIGNAL);
        if (done > 0) {
            drop_file(worker);
            worker->sent += (gsize)done;
        }
    }
    if (worker->sent == worker->out->len || worker->sent >= FLIGHT_BYTES) {
        g_byte_array_remove_range(worker->out, 0, (guint)worker->sent);
        worker->sent = 0;
    }
}

/* Reads what is there. FALSE when the worker is gone. */
static gboolean worker_receive(const struct crew *crew, struct worker *worker)
{
    guint8 buf[65536];
    while (worker->in->len < ANSWER_BYTES) {
        ssize_t got = read(worker->process.socket, buf, sizeof buf);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return TRUE;
        if (got <= 0)
            return FALSE;
        g_byte_array_append(worker->in, buf, (guint)got);
        worker_heard(crew, worker);
    }
    return TRUE;
}

/* Why a worker that is silent must go; NULL while it may be. */
static const char *silence(const struct crew *crew, struct worker *worker)
{
    gint64 most = (gint64)crew->settings->limits->worker_seconds * G_USEC_PER_SEC;
    gint64 quiet = crew->clock - worker->heard;
    if (!worker->jobs.length || worker->in->len >= ANSWER_BYTES || quiet < SHORT)
        return NULL;
    guint64 cpu = nursery_cpu_us(worker->process.pid);
    if (worker->cpu == UNKNOWN)
        worker->cpu = cpu;
    if (cpu > worker->cpu + (guint64)most)
        return "worked too long without an answer (worker_seconds)";
    return quiet > ASLEEP * most ? "gave no sign of life" : NULL;
}

/* Whether something can be done for it without waiting. */
static gboolean is_due(const struct crew *crew, struct worker *worker)
{
    return worker->alive && ((worker->gone && !crew->current) || (worker->in->len && is_ready(crew, worker)));
}

/* Waits until a worker can be read from or written to. */
static gboolean listen_to_all(struct crew *crew, struct pollfd *pollers, int wait, GError **error)
{
    for (guint i = 0; i <= crew->most; i++) {
        struct worker *worker = &crew->workers[i];
        gboolean read = worker->alive && !worker->gone && worker->in->len < ANSWER_BYTES;
        gboolean write = worker->alive && !worker->gone && worker->sent < worker->out->len;
        pollers[i].fd = read || write ? worker->process.socket : -1;
        pollers[i].events = (short)((read ? POLLIN : 0) | (write ? POLLOUT : 0));
        wait = is_due(crew, worker) ? 0 : wait;
    }
    gint64 began = wait ? g_get_monotonic_time() : 0;
    int ready = poll(pollers, crew->most + 1, wait);
    if (ready < 0 && errno != EINTR) {
        g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not wait for workers: %s", g_strerror(errno));
        return FALSE;
    }
    if (wait)
        crew->clock += g_get_monotonic_time() - began;
    return TRUE;
}

/* Sends, reads and replays what can be, and ends a worker that is over. */
static gboolean attend(struct crew *crew, struct worker *worker, short events, GError **error)
{
    if (!worker->alive)
        return TRUE;
    if (events & POLLOUT)
        worker_send(worker);
    if (events & (POLLIN | POLLHUP | POLLERR))
        worker->gone = !worker_receive(crew, worker);
    if (!replay(crew, worker, error))
        return FALSE;
    /* What it has said waits while another one's answer is in the middle. */
    if (!worker->alive || (worker->gone && worker->in->len && crew->current && crew->current != worker))
        return TRUE;
    const char *why = worker->gone ? NULL : silence(crew, worker);
    return (!worker->gone && !why) || bury(crew, worker, why, error);
}

/* One round. `wait` is in milliseconds. */
static gboolean work(struct crew *crew, int wait, GError **error)
{
    gboolean ok = listen_to_all(crew, crew->pollers, wait, error);
    for (guint i = 0; ok && i <= crew->most; i++)
        ok = attend(crew, &crew->workers[i], crew->pollers[i].revents, error);
    return ok && hand_out(crew, error);
}

gboolean crew_add(struct crew *crew, const struct mail *mail, GError **error)
{
    g_queue_push_tail(&crew->waiting, job_new(mail));
    crew->flying++;
    gboolean ok = hand_out(crew, error);
    while (ok && crew->waiting.length)
        ok = work(crew, 1000, error);
    return ok;
}

gboolean crew_poke(struct crew *crew, GError **error)
{
    return work(crew, 0, error);
}

gboolean crew_finish(struct crew *crew, GError **error)
{
    gboolean ok = TRUE;
    while (ok && crew->flying)
        ok = work(crew, 1000, error);
    return ok;
}

gboolean crew_left(struct crew *crew, GError **error)
{
    if (!crew->left)
        return FALSE;
    g_propagate_error(error, g_steal_pointer(&crew->left));
    return TRUE;
}
