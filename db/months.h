/* The partitions of months that reports belong to. Internal to the writer.
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
