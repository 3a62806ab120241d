/* The partitions of months that reports belong to.
 *
 * Which are missing is one question for all new months of a batch; each is made in a transaction of its own:
 * making one waits for everybody else's. */
#pragma once

#include "db/conn.h"

struct months;
struct months *months_new(void);
void months_free(struct months *months);
/* Makes what is missing for these reports, struct batch_report, outside of a transaction. A month is asked
 * about once. */
gboolean months_ensure(struct months *months, struct db *db, const GArray *reports, GError **error);

/* Makes those of the months from one to another, counted from now (0: this month, -1: the last), in all
 * tables that have them. How many were not there. */
gboolean months_make(struct db *db, int first, int last, gint64 *made_r, GError **error);
