/* What a crew waits for, and for how long: a slow database, and a nursery that is no more. */
#include "tests/unit/bad_crew.h"

/* A database that takes its time is not taken for silence of a worker that waits for more orders. */
static void test_slow(void)
{
    struct trial trial;
    g_autoptr(GError) error = NULL;
    g_autofree char *filler = g_strnfill(100000, '\n');
    g_autofree char *text = g_strconcat(plain, filler, NULL);
    trial_begin(&trial, &bad_work, 1);
    trial.told.slow = 7 * G_USEC_PER_SEC;
    for (guint i = 0; i < 30; i++)
        g_assert_true(trial_add(&trial, "good", text, &error));
    g_assert_true(crew_finish(trial.crew, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(trial.told.ended, ==, 30);
    g_assert_cmpuint(trial.told.begun, ==, 30);
    g_assert_cmpuint(*born, ==, 1);
    trial_end(&trial);
}

/* Without its nursery a crew can go on with nothing, and blames no mail. `signal` is what happens to it. */
static void test_no_nursery(gconstpointer data)
{
    struct trial trial;
    g_autoptr(GError) error = NULL;
    trial_begin(&trial, &bad_work, 2);
    g_assert_true(trial_add(&trial, "good", plain, &error));
    g_assert_true(crew_finish(trial.crew, &error));
    kill(nursery_pid(trial.nursery), GPOINTER_TO_INT(data));
    gboolean ok = trial_add(&trial, "crash", plain, &error) && crew_finish(trial.crew, &error);
    g_assert_false(ok);
    g_assert_error(error, WS_ERROR, WS_ERROR_SYSTEM);
    g_assert_cmpuint(trial.told.ended, ==, 1);
    g_assert_cmpuint(trial.told.problems, ==, 0);
    trial_end(&trial);
}

int main(int argc G_GNUC_UNUSED, char **argv)
{
    unit_init(argv[0]);
    share_counts();
    g_test_add_func("/crew/slow", test_slow);
    g_test_add_data_func("/crew/nursery killed", GINT_TO_POINTER(SIGKILL), test_no_nursery);
    g_test_add_data_func("/crew/nursery stopped", GINT_TO_POINTER(SIGSTOP), test_no_nursery);
    return g_test_run();
}
