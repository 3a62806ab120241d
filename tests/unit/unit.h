/* What every unit test shares: TAP on standard output, whatever the arguments were, and a failed comparison
 * fails its own test and not the whole run. */
#pragma once

#include <glib.h>
#include <string.h>

static inline void unit_init(char *name)
{
    static char tap[] = "--tap";
    char *argv_tap[] = {name, tap, NULL};
    char **argv = argv_tap;
    int argc = 2;
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
}

/* Says for tests/deviations.t whether a vector holds. Its name begins with the codes of the deviations that
 * it stands for, "C12 C13 folders"; one without codes says nothing. */
static inline void unit_deviation(const char *name, gboolean ok)
{
    g_auto(GStrv) words = g_strsplit(name, " ", -1);
    for (char **word = words; *word; word++) {
        gsize digits = **word ? strspn(*word + 1, "0123456789") : 0;
        if (!g_ascii_isupper(**word) || !digits || (*word)[1 + digits])
            return;
        g_test_message("deviation %s %s", *word, ok ? "pass" : "FAIL");
    }
}
