/* What became of the mails of a run, in words. */
#pragma once

#include "ingest/run.h"

/* "3 mails: 1 stored, 0 duplicate, 2 without report, 0 problems". Owned by the caller. */
char *totals_line(const struct run_totals *totals);
