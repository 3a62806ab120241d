/* The ledger's four words: what became of a mail or a document. mails in = stored + duplicate + no_report +
 * problem. */
#pragma once

enum outcome {
    OUTCOME_STORED,    /* at least one report of it is new */
    OUTCOME_DUPLICATE, /* all its reports were there already */
    OUTCOME_NO_REPORT, /* there is none in it */
    OUTCOME_PROBLEM,   /* something in it could not be read, and nothing new was stored */
};

/* "stored", "duplicate", "no_report", "problem", by enum outcome. */
extern const char *const outcome_words[4];
