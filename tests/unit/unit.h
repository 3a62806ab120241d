/* What every unit test shares: TAP on standard output, whatever the arguments were, and a failed comparison
 * fails its own test and not the whole run. */
#pragma once

#include <glib.h>

static inline void unit_init(char *name)
{
    static char tap[] = "--tap";
    char *argv_tap[] = {name, tap, NULL};
    char **argv = argv_tap;
    int argc = 2;
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
}
