/* A crew with workers that misbehave at mails of certain names: no mail is lost or told twice, and nobody
 * else suffers. */
#include "tests/unit/bad_crew.h"

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
        {"crash", "signal 11"},      {"crash at first", NULL},         {"spin", "worker_seconds"},
        {"sleep", "no sign"},        {"lie", "senseless answer"},      {"eat", "memory"},
        {"open", "forbidden"},       {"half", "two worker processes"}, {"killed", "6 worker processes"},
        {"killed four times", NULL},
    };
    unit_init(argv[0]);
    share_counts();
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
