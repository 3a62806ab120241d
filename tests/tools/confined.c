/* What a confined worker can do:
 *
 *     confined try WORD...     each in a worker of its own, one line each: WORD, tab, what came back, tab,
 * how it ended confined mails PATH...   reads the mails (files, or all in a directory) in a worker, prints
 * what they hold confined here PATH...    the same in this process confined time N          starts N workers,
 * and prints what that costs
 */
#include "ingest/fdpass.h"
#include "ingest/nursery.h"
#include "ingest/warm.h"
#include "tests/tools/confined_mails.h"
#include "tests/tools/confined_tries.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define LINE 200

/* --- the worker --- */

static gpointer prepare(void)
{
    struct domain_list *suffixes = domain_list_new();
    warm_up(suffixes);
    return suffixes;
}

static void complete(gpointer prepared)
{
    warm_encodings(prepared);
}

static const char *check_word; /* before the nursery is forked */

static gboolean check(gpointer prepared, gboolean light, GError **error)
{
    g_autofree char *got = check_word ? try_word(check_word, 4) : NULL;
    if (got)
        g_set_error(error, G_FILE_ERROR, 0, "%s: %s", check_word, got);
    return !got && warm_check(prepared, light, error);
}

/* A request is a line with a file or without, an answer any bytes and an empty line. */
static int serve(gpointer prepared, int socket, const int *scratch, guint n_scratch)
{
    char line[LINE];
    int fd;
    gssize got;
    blob_use_scratch(scratch, n_scratch);
    while ((got = fdpass_receive(socket, line, sizeof line - 1, &fd, NULL)) > 0) {
        line[got] = '\0';
        g_autofree char *answer = fd >= 0 ? read_mail(prepared, fd) : try_word(line, scratch[0]);
        g_autofree char *whole = g_strconcat(answer, "\n\n", NULL);
        gsize n = strlen(whole);
        for (gsize at = 0; at < n;) {
            ssize_t sent = send(socket, whole + at, n - at, MSG_NOSIGNAL);
            if (sent <= 0)
                return 1;
            at += (gsize)sent;
        }
    }
    return got < 0;
}

static const struct nursery_work work = {prepare, complete, check, serve};

/* --- the parent --- */

static void die(GError *error)
{
    fprintf(stderr, "%s\n", error->message);
    exit(1);
}

static void start(struct nursery *nursery, struct worker_process *worker)
{
    GError *error = NULL;
    if (!nursery_worker(nursery, FALSE, worker, &error))
        die(error);
}

/* Up to an empty line, the end, or (for what never ends) a fifth of a second of the worker's CPU time. */
static char *answer_of(const struct worker_process *worker, guint64 most_us)
{
    GString *answer = g_string_new(NULL);
    while (!g_str_has_suffix(answer->str, "\n\n")) {
        char buf[4096];
        struct pollfd wait = {.fd = worker->socket, .events = POLLIN};
        ssize_t got = poll(&wait, 1, 20) > 0 ? recv(worker->socket, buf, sizeof buf, 0) : -1;
        if (got == 0 || (got < 0 && nursery_cpu_us(worker->pid) > most_us))
            break;
        g_string_append_len(answer, buf, MAX(got, 0));
    }
    if (g_str_has_suffix(answer->str, "\n\n"))
        g_string_truncate(answer, answer->len - 2);
    return g_string_free(answer, FALSE);
}

static void try_word_in(const struct worker_process *worker, const char *word)
{
    if (send(worker->socket, word, strlen(word), MSG_NOSIGNAL) < 0)
        return;
    g_autofree char *answer = answer_of(worker, 200000);
    printf("%s|%s", word, answer);
}

static void end(struct nursery *nursery, struct worker_process *worker)
{
    int status;
    g_autofree char *end = nursery_end(nursery, worker, &status);
    printf("|%s%s\n", end, WIFSIGNALED(status) && WCOREDUMP(status) ? ", with a core" : "");
    fflush(stdout);
}

static void try_words(struct nursery *nursery, char **words)
{
    for (; *words; words++) {
        struct worker_process worker;
        start(nursery, &worker);
        try_word_in(&worker, *words);
        end(nursery, &worker);
    }
}

static void hold(struct nursery *nursery)
{
    struct worker_process worker;
    char line[LINE];
    start(nursery, &worker);
    printf("%d\n", (int)worker.pid);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        try_word_in(&worker, g_strchomp(line));
        printf("\n");
        fflush(stdout);
    }
    end(nursery, &worker);
}

static void look_at(struct nursery *nursery, struct worker_process *worker, struct domain_list *suffixes,
                    const char *path)
{
    GError *error = NULL;
    g_autofree char *answer = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (!nursery) {
        answer = read_mail(suffixes, fd);
    } else {
        int own = fdpass_reopen(fd, &error);
        if (own < 0 || fdpass_send(worker->socket, own, path, strlen(path), &error) <= 0)
            die(error);
        close(own);
        close(fd);
        answer = answer_of(worker, 20000000);
    }
    printf("%s\n%s\n", path, answer);
    if (nursery && !*answer) {
        end(nursery, worker);
        start(nursery, worker);
    }
}

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void look_at_all(struct nursery *nursery, char **paths)
{
    struct worker_process worker = {-1, -1};
    struct domain_list *suffixes = NULL;
    if (nursery)
        start(nursery, &worker);
    else
        suffixes = domain_list_new();
    for (; *paths; paths++) {
        g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GDir) directory = g_dir_open(*paths, 0, NULL);
        const char *name;
        if (!directory)
            g_ptr_array_add(names, g_strdup(*paths));
        while (directory && (name = g_dir_read_name(directory)))
            g_ptr_array_add(names, g_build_filename(*paths, name, NULL));
        g_ptr_array_sort(names, by_name);
        for (guint i = 0; i < names->len; i++) {
            if (g_file_test(names->pdata[i], G_FILE_TEST_IS_REGULAR))
                look_at(nursery, &worker, suffixes, names->pdata[i]);
        }
    }
    if (nursery)
        g_free(nursery_end(nursery, &worker, NULL));
    else
        domain_list_free(suffixes);
}

static double cpu_ms(int who)
{
    struct rusage usage;
    getrusage(who, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

static void take_time(struct nursery *nursery, gint64 begin, guint n)
{
    struct worker_process worker;
    start(nursery, &worker);
    gint64 first = g_get_monotonic_time();
    printf("%s\n", nursery_describe(nursery));
    printf("first worker after %.1f ms\n", (double)(first - begin) / 1e3);
    g_free(nursery_end(nursery, &worker, NULL));
    guint64 cpu = 0;
    first = g_get_monotonic_time();
    for (guint i = 0; i < n; i++) {
        start(nursery, &worker);
        cpu += nursery_cpu_us(worker.pid);
        g_free(nursery_end(nursery, &worker, NULL));
    }
    printf("each worker %.2f ms, its CPU %.2f ms\n", (double)(g_get_monotonic_time() - first) / 1e3 / n,
           (double)cpu / 1e3 / n);
    nursery_stop(nursery);
    printf("CPU of the nursery and %u workers %.1f ms\n", n + 1, cpu_ms(RUSAGE_CHILDREN));
}

int main(int argc, char **argv)
{
    GError *error = NULL;
    gint64 begin = g_get_monotonic_time();
    if (argc < 2) {
        fprintf(stderr, "usage: confined try|mails|here|check|hold|time ...\n");
        return 64;
    }
    if (g_str_equal(argv[1], "here")) {
        look_at_all(NULL, argv + 2);
        return 0;
    }
    check_word = g_str_equal(argv[1], "check") && argc > 2 ? argv[2] : NULL;
    struct nursery *nursery = nursery_start(&work, &error);
    if (!nursery)
        die(error);
    if (g_str_equal(argv[1], "time") && argc > 2) {
        take_time(nursery, begin, (guint)g_ascii_strtoull(argv[2], NULL, 10));
        return 0;
    }
    if (g_str_equal(argv[1], "try") || check_word)
        try_words(nursery, argv + 2);
    else if (g_str_equal(argv[1], "hold"))
        hold(nursery);
    else
        look_at_all(nursery, argv + 2);
    nursery_stop(nursery);
    return 0;
}
