#include "cli/nearest.h"

#include <glib.h>

#include <string.h>

#define LONGEST 63

/* Optimal string alignment distance; both at most LONGEST long. */
static guint distance(const char *a, const char *b)
{
    guint row[3][LONGEST + 1];
    guint n_a = (guint)strlen(a), n_b = (guint)strlen(b);
    for (guint j = 0; j <= n_b; j++)
        row[0][j] = j;
    for (guint i = 1; i <= n_a; i++) {
        guint *now = row[i % 3], *before = row[(i - 1) % 3];
        now[0] = i;
        for (guint j = 1; j <= n_b; j++) {
            guint other = a[i - 1] != b[j - 1];
            now[j] = MIN(MIN(before[j] + 1, now[j - 1] + 1), before[j - 1] + other);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = MIN(now[j], row[(i - 2) % 3][j - 2] + 1);
        }
    }
    return row[n_a % 3][n_b];
}

const char *nearest_word(const char *word, const char *const *candidates)
{
    gsize length = strlen(word);
    if (!length || length > LONGEST)
        return NULL;
    const char *best = NULL;
    guint least = MAX(1, (guint)length / 3) + 1;
    for (; *candidates; candidates++) {
        guint d = strlen(*candidates) > LONGEST ? G_MAXUINT : distance(word, *candidates);
        if (d < least) {
            least = d;
            best = *candidates;
        }
    }
    return best;
}
