/* What was mended in one report: how often each code, and the first occurrence in words. */
#pragma once

#include "parser/codes.h"
#include "parser/report.h"

struct warnings {
    guint count[CODE_LAST];
    char *detail[CODE_LAST];
};

/* Counts one. The words are only put together the first time; foreign text in them is escaped and cut. */
void warnings_add(struct warnings *warnings, enum code code, const char *what, const char *foreign);
/* Counts one, and lists the name among the others of this code, each once. */
void warnings_list(struct warnings *warnings, enum code code, const char *name);
void warnings_reset(struct warnings *warnings);

/* Fills up to CODE_LAST rows; returns how many. Lent until the next change. */
guint warnings_rows(const struct warnings *warnings, struct report_warning rows_r[CODE_LAST]);

/* Foreign text made harmless for a message: escaped, and cut to some 80 bytes. Owned by the caller. */
char *warnings_quote(const char *foreign);
