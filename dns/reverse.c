#include "dns/reverse.h"

#include "dns/arpa.h"
#include "parser/address.h"
#include "parser/error.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unbound.h>

enum {
    FIRST_WINDOW = 64, /* addresses that are asked about before the first answer: no resolver drops these */
    LOOK_MS = 500,     /* how often a stop is looked for */
    OTHER_FILES = 128, /* that may be open beside the sockets of questions */
    CLASS_IN = 1,
    TYPE_A = 1,
    TYPE_CNAME = 5,
    TYPE_PTR = 12,
    TYPE_AAAA = 28,
};

const struct reverse_settings reverse_settings_default = {
    .at_once = 1000,
    .names = 4,
    .address_seconds = 10,
    .run_seconds = 300,
    .least_ttl = 3600,
    .most_ttl = 7 * 86400,
    .none_ttl = 86400,
    .failed_ttl = 3600,
};

struct run {
    const struct reverse_settings *settings;
    const struct reverse_verbs *verbs;
    gpointer data;
    struct reverse_totals *totals;
    struct ub_ctx *ctx;
    GQueue active; /* flights in the order in which their time is up */
    GQueue late;   /* flights whose address was answered with FAILED, and whose question is still out */
    GQueue ready;  /* active flights that an answer came for */
    guint window;  /* how many may be out now ... */
    guint most;    /* ... and at the most */
    gint64 began, deadline;
    gboolean ended; /* there are no more addresses */
    gint64 replied; /* when a resolver gave the last answer; 0: none yet */
};

/* One address, or one name (family AF_UNSPEC). There is one question out for it at a time, unless it is in
 * run.ready. */
struct flight {
    struct run *run;
    GList link, ready_link;
    char *address;
    int family;
    guint8 bytes[16];
    gint64 until;
    gboolean is_late;
    GPtrArray *names; /* NULL until the PTR records are there; of a name the targets so far */
    guint asked;      /* how many of them */
    guint ttl;        /* the lowest so far */
    gboolean unsure;  /* the answer for one of the names could not be had */
    /* The last answer. */
    gboolean failed, confirmed;
};

static gboolean fail(GError **error, enum ws_error code, const char *what, const char *why)
{
    g_set_error(error, WS_ERROR, (int)code, "%s: %s", what, why);
    return FALSE;
}

const char *reverse_status_name(enum reverse_status status)
{
    static const char *const names[] = {
        [REVERSE_CONFIRMED] = "confirmed",
        [REVERSE_UNCONFIRMED] = "unconfirmed",
        [REVERSE_NONE] = "none",
        [REVERSE_FAILED] = "failed",
    };
    return names[status];
}

/* --- flights --- */

static struct flight *flight_new(struct run *run, const char *address, int family, const guint8 *bytes)
{
    struct flight *flight = g_new0(struct flight, 1);
    flight->run = run;
    flight->link.data = flight->ready_link.data = flight;
    flight->address = g_strdup(address);
    flight->family = family;
    memcpy(flight->bytes, bytes, sizeof flight->bytes);
    flight->until = g_get_monotonic_time() + run->settings->address_seconds * (gint64)G_USEC_PER_SEC;
    flight->ttl = G_MAXINT32;
    g_queue_push_tail_link(&run->active, &flight->link);
    return flight;
}

static void flight_free(struct flight *flight)
{
    g_clear_pointer(&flight->names, g_ptr_array_unref);
    g_free(flight->address);
    g_free(flight);
}

static void free_all(GQueue *flights)
{
    GList *link;
    while ((link = g_queue_pop_head_link(flights)))
        flight_free(link->data);
}

static guint flying(const struct run *run)
{
    return run->active.length + run->late.length;
}

/* --- answers --- */

/* Keeps the first ones in alphabetical order, each once. Takes the name. */
static void keep_name(GPtrArray *names, guint most, char *name)
{
    guint at = 0;
    int order = 1;
    while (at < names->len && (order = strcmp(name, g_ptr_array_index(names, at))) > 0)
        at++;
    if (at == most || (at < names->len && order == 0)) {
        g_free(name);
        return;
    }
    g_ptr_array_insert(names, (int)at, name);
    if (names->len > most)
        g_ptr_array_set_size(names, (int)most);
}

static GPtrArray *names_in(const struct ub_result *result, guint most)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    for (gsize i = 0; result->data && result->data[i]; i++) {
        char *name = arpa_host((const guint8 *)result->data[i], (gsize)result->len[i]);
        if (name)
            keep_name(names, most, name);
    }
    return names;
}

/* A name has one CNAME at most (RFC 1034 section 3.6.2). */
static void keep_target(struct flight *flight, const struct ub_result *result)
{
    char *target = result->data && result->data[0]
                       ? arpa_name((const guint8 *)result->data[0], (gsize)result->len[0])
                       : NULL;
    if (target)
        g_ptr_array_add(flight->names, target);
}

static gboolean holds(const struct ub_result *result, const struct flight *flight)
{
    int length = flight->family == AF_INET ? 4 : 16;
    for (gsize i = 0; result->data && result->data[i]; i++)
        if (result->len[i] == length && memcmp(result->data[i], flight->bytes, (gsize)length) == 0)
            return TRUE;
    return FALSE;
}

static gboolean is_answer(int status, const struct ub_result *result)
{
    return status == 0 && result && (result->rcode == 0 || result->nxdomain);
}

static void take_answer(struct flight *flight, int status, const struct ub_result *result)
{
    flight->failed = !is_answer(status, result);
    if (flight->failed)
        return;
    struct run *run = flight->run;
    run->replied = g_get_monotonic_time();
    run->window = MIN(run->window + 1, run->most);
    flight->ttl = MIN(flight->ttl, (guint)MAX(result->ttl, 0));
    if (flight->family == AF_UNSPEC)
        keep_target(flight, result);
    else if (!flight->names)
        flight->names = names_in(result, run->settings->names);
    else
        flight->confirmed = holds(result, flight);
}

/* Called by ub_process. */
static void on_answer(void *data, int status, struct ub_result *result)
{
    struct flight *flight = data;
    take_answer(flight, status, result);
    ub_resolve_free(result);
    if (flight->is_late) {
        g_queue_unlink(&flight->run->late, &flight->link);
        flight_free(flight);
    } else {
        g_queue_push_tail_link(&flight->run->ready, &flight->ready_link);
    }
}

/* --- what becomes of an address --- */

static gboolean tell(struct run *run, const char *address, enum reverse_status status, const char *name,
                     guint ttl, GError **error)
{
    const struct reverse_settings *settings = run->settings;
    guint holds_for = status == REVERSE_CONFIRMED ? MAX(settings->least_ttl, MIN(ttl, settings->most_ttl))
                      : status == REVERSE_FAILED  ? settings->failed_ttl
                                                  : settings->none_ttl;
    const struct reverse_answer answer = {
        .address = address,
        .status = status,
        .name = name,
        .expires = g_get_real_time() / G_USEC_PER_SEC + holds_for,
    };
    run->totals->answers[status]++;
    return run->verbs->answer(run->data, &answer, error);
}

/* The end of a flight that no question is out for. */
static gboolean land(struct flight *flight, enum reverse_status status, const char *name, GError **error)
{
    gboolean ok = tell(flight->run, flight->address, status, name, flight->ttl, error);
    g_queue_unlink(&flight->run->active, &flight->link);
    flight_free(flight);
    return ok;
}

/* The end for its address; it goes on flying until libunbound has done with its question. */
static gboolean give_up(struct flight *flight, GError **error)
{
    struct run *run = flight->run;
    flight->is_late = TRUE;
    g_queue_unlink(&run->active, &flight->link);
    g_queue_push_tail_link(&run->late, &flight->link);
    return tell(run, flight->address, REVERSE_FAILED, NULL, 0, error);
}

static gboolean ask(struct flight *flight, const char *name, int type, GError **error)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* for the thread, which starts with the first question */
    int status = ub_resolve_async(flight->run->ctx, name, type, CLASS_IN, flight, on_answer, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status == 0 || fail(error, WS_ERROR_SYSTEM, "could not ask a resolver", ub_strerror(status));
}

/* What was followed so far counts, also where the end of it cannot be had. */
static gboolean advance_name(struct flight *flight, GError **error)
{
    GPtrArray *names = flight->names;
    guint n = names->len;
    if (!flight->failed && n > flight->asked && n < flight->run->settings->names) {
        flight->asked = n;
        return ask(flight, g_ptr_array_index(names, n - 1), TYPE_CNAME, error);
    }
    if (!n)
        return land(flight, flight->failed ? REVERSE_FAILED : REVERSE_NONE, NULL, error);
    g_ptr_array_add(names, NULL);
    g_autofree char *all = g_strjoinv(" ", (char **)names->pdata);
    return land(flight, REVERSE_CONFIRMED, all, error);
}

/* After an answer: the next question, or the end. */
static gboolean advance(struct flight *flight, GError **error)
{
    const GPtrArray *names = flight->names;
    if (flight->family == AF_UNSPEC)
        return advance_name(flight, error);
    if (!names)
        return land(flight, REVERSE_FAILED, NULL, error);
    if (flight->confirmed)
        return land(flight, REVERSE_CONFIRMED, g_ptr_array_index(names, flight->asked - 1), error);
    flight->unsure |= flight->failed;
    if (flight->asked < names->len)
        return ask(flight, g_ptr_array_index(names, flight->asked++),
                   flight->family == AF_INET ? TYPE_A : TYPE_AAAA, error);
    return land(flight,
                names->len == 0  ? REVERSE_NONE
                : flight->unsure ? REVERSE_FAILED
                                 : REVERSE_UNCONFIRMED,
                NULL, error);
}

static gboolean begin(struct run *run, const char *address, GError **error)
{
    guint8 bytes[16] = {0};
    enum ip_form form;
    int family = run->settings->cnames ? AF_UNSPEC : address_parse_ip(address, bytes, &form);
    if (!run->settings->cnames && (family == AF_UNSPEC || !arpa_is_public(family, bytes)))
        return tell(run, address, REVERSE_NONE, NULL, 0, error);
    struct flight *flight = flight_new(run, address, family, bytes);
    run->totals->most_at_once = MAX(run->totals->most_at_once, run->active.length);
    if (run->settings->cnames) {
        flight->names = g_ptr_array_new_with_free_func(g_free);
        return ask(flight, address, TYPE_CNAME, error);
    }
    g_autofree char *question = arpa_question(family, bytes);
    return ask(flight, question, TYPE_PTR, error);
}

/* --- the run --- */

static gint64 time_for_one(const struct run *run)
{
    return run->settings->address_seconds * (gint64)G_USEC_PER_SEC;
}

static gboolean is_over(struct run *run)
{
    run->totals->late = g_get_monotonic_time() >= run->deadline;
    return run->totals->late || (run->settings->stop && *run->settings->stop);
}

/* Soon libunbound would ask no more, either, and have all that is still to come fail at once. At the end of a
 * run slow names may be all that is left. */
static gboolean is_silent(struct run *run, gint64 now)
{
    gint64 since = now - MAX(run->began, run->replied);
    run->totals->silent = flying(run) > 0 && since >= time_for_one(run) && !(run->ended && run->replied);
    return run->totals->silent;
}

static gboolean fill(struct run *run, GError **error)
{
    while (!run->ended && flying(run) < run->window && !is_over(run)) {
        const char *address;
        GError *broken = NULL;
        if (run->verbs->next(run->data, &address, &broken)) {
            if (!begin(run, address, error))
                return FALSE;
        } else if (broken) {
            g_propagate_error(error, broken);
            return FALSE;
        } else {
            run->ended = TRUE;
        }
    }
    return TRUE;
}

static gboolean wait_for_answers(const struct run *run, GError **error)
{
    const struct flight *first = run->active.head ? run->active.head->data : NULL;
    gint64 until = first ? MIN(first->until, run->deadline) : run->deadline;
    gint64 left = (until - g_get_monotonic_time()) / 1000 + 1;
    struct pollfd fd = {.fd = ub_fd(run->ctx), .events = POLLIN};
    int ready = poll(&fd, 1, (int)CLAMP(left, 0, LOOK_MS));
    if (ready < 0 && errno != EINTR)
        return fail(error, WS_ERROR_SYSTEM, "could not wait for names", g_strerror(errno));
    int status = ready > 0 ? ub_process(run->ctx) : 0;
    return status == 0 || fail(error, WS_ERROR_SYSTEM, "could not read names", ub_strerror(status));
}

static gboolean advance_all(struct run *run, GError **error)
{
    GList *link;
    while ((link = g_queue_pop_head_link(&run->ready)))
        if (!advance(link->data, error))
            return FALSE;
    return TRUE;
}

/* Those whose time is up at `now`. */
static gboolean give_up_late(struct run *run, gint64 now, GError **error)
{
    struct flight *flight;
    while ((flight = g_queue_peek_head(&run->active)) && flight->until <= now)
        if (!give_up(flight, error))
            return FALSE;
    return TRUE;
}

static gboolean work(struct run *run, GError **error)
{
    while (!is_over(run)) {
        if (!fill(run, error))
            return FALSE;
        if (run->ended && !run->active.length)
            return TRUE;
        if (!wait_for_answers(run, error))
            return FALSE;
        /* All that came is read now; what the verbs take from here on is nobody's delay. */
        gint64 now = g_get_monotonic_time();
        gboolean silent = is_silent(run, now);
        if (!advance_all(run, error) || !give_up_late(run, silent ? G_MAXINT64 : now, error))
            return FALSE;
        if (silent)
            return TRUE;
    }
    if (run->totals->late)
        return give_up_late(run, G_MAXINT64, error);
    return fail(error, WS_ERROR_INTERRUPTED, "could not look up all names", "interrupted");
}

/* --- libunbound --- */

static gboolean set_resolvers(struct ub_ctx *ctx, const char *const *resolvers, GError **error)
{
    int status = resolvers && *resolvers ? 0 : ub_ctx_resolvconf(ctx, NULL);
    if (status)
        return fail(error, WS_ERROR_CONFIG, "cannot use the resolvers of /etc/resolv.conf",
                    ub_strerror(status));
    for (const char *const *resolver = resolvers; resolver && *resolver; resolver++)
        if (ub_ctx_set_fwd(ctx, *resolver) != 0) {
            g_autofree char *quoted = g_strescape(*resolver, NULL);
            g_set_error(error, WS_ERROR, WS_ERROR_CONFIG,
                        "cannot use '%s' as a resolver: it is no address\nhint: write 192.0.2.53 or "
                        "192.0.2.53@5353",
                        quoted);
            return FALSE;
        }
    return TRUE;
}

/* Its own default is 16 questions at a time; no keys are given to it, so that it needs no validator. */
static gboolean set_options(struct ub_ctx *ctx, guint sockets, GError **error)
{
    g_autofree char *range = g_strdup_printf("%u", sockets);
    const char *const options[][2] = {
        {"outgoing-range:", range},  {"module-config:", "iterator"}, {"msg-cache-size:", "4m"},
        {"rrset-cache-size:", "4m"}, {"outgoing-num-tcp:", "16"},
    };
    int status = ub_ctx_async(ctx, TRUE);
    for (gsize i = 0; i < G_N_ELEMENTS(options) && status == 0; i++)
        status = ub_ctx_set_option(ctx, options[i][0], options[i][1]);
    return status == 0 || fail(error, WS_ERROR_SYSTEM, "could not set libunbound up", ub_strerror(status));
}

/* Sockets that may be open at the same time: each question has one, so that its port is hard to guess. */
static guint take_room(guint wanted, struct rlimit *before_r)
{
    if (getrlimit(RLIMIT_NOFILE, before_r) != 0)
        *before_r = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
    struct rlimit files = *before_r;
    if (files.rlim_cur < wanted + OTHER_FILES) {
        files.rlim_cur = MIN(files.rlim_max, wanted + OTHER_FILES);
        if (setrlimit(RLIMIT_NOFILE, &files) != 0)
            files = *before_r;
    }
    rlim_t room = files.rlim_cur > 2 * OTHER_FILES ? files.rlim_cur - OTHER_FILES : files.rlim_cur / 2;
    return (guint)CLAMP(room, 1, wanted);
}

static void leave_room(const struct rlimit *before)
{
    if (before->rlim_max != RLIM_INFINITY || before->rlim_cur != RLIM_INFINITY)
        (void)setrlimit(RLIMIT_NOFILE, before);
}

gboolean reverse_run(const struct reverse_settings *settings, const struct reverse_verbs *verbs,
                     gpointer data, struct reverse_totals *totals_r, GError **error)
{
    gint64 now = g_get_monotonic_time();
    struct run run = {
        .settings = settings,
        .verbs = verbs,
        .data = data,
        .totals = totals_r,
        .ctx = ub_ctx_create(),
        .began = now,
        .deadline = now + settings->run_seconds * (gint64)G_USEC_PER_SEC,
    };
    *totals_r = (struct reverse_totals){0};
    if (!run.ctx)
        return fail(error, WS_ERROR_SYSTEM, "could not set libunbound up", "no memory or no random numbers");
    ub_ctx_debugout(run.ctx, NULL); /* it writes on standard error */
    struct rlimit before;
    run.most = take_room(MAX(settings->at_once, 1), &before);
    run.window = MIN(FIRST_WINDOW, run.most);
    gboolean ok = set_options(run.ctx, run.most, error) &&
                  set_resolvers(run.ctx, settings->resolvers, error) && work(&run, error);
    ub_ctx_delete(run.ctx); /* ends its thread; no question is answered any more */
    leave_room(&before);
    free_all(&run.active);
    free_all(&run.late);
    return ok;
}
