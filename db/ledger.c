#include "db/ledger.h"

const char *const outcome_words[4] = {
    [OUTCOME_STORED] = "stored",
    [OUTCOME_DUPLICATE] = "duplicate",
    [OUTCOME_NO_REPORT] = "no_report",
    [OUTCOME_PROBLEM] = "problem",
};
