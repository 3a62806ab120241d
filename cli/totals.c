#include "cli/totals.h"

#define COUNT "%" G_GUINT64_FORMAT

char *totals_line(const struct run_totals *totals)
{
    const guint64 *by = totals->by_outcome;
    GString *line = g_string_new(NULL);
    g_string_printf(
        line, COUNT " %s: " COUNT " stored, " COUNT " duplicate, " COUNT " without report, " COUNT " %s",
        totals->mails, totals->mails == 1 ? "mail" : "mails", by[OUTCOME_STORED], by[OUTCOME_DUPLICATE],
        by[OUTCOME_NO_REPORT], by[OUTCOME_PROBLEM], by[OUTCOME_PROBLEM] == 1 ? "problem" : "problems");
    if (totals->resumed)
        g_string_append_printf(line, ", " COUNT " already in the ledger", totals->resumed);
    return g_string_free(line, FALSE);
}
