/* The catalogue of reports: one row, one SQL function. Shell, pages and SQL users get the same figures
 * because they are the same function. CSV and JSON have all columns of it, tables those that people want side
 * by side. */
#pragma once

#include "db/conn.h"
#include "reports/render.h"

#include <stdio.h>

struct report_row {
    const char *name;      /* the command: "senders" */
    const char *option;    /* what the command answers with this option instead of its own report; or NULL */
    const char *function;  /* "dmarc.senders": (domain text, since date, until date) returns a table; of the
                              ledger: () */
    const char *summary;   /* for --help */
    gboolean wants_domain; /* takes a [DOMAIN] argument (all do) */
    gboolean ledger;       /* about mails: takes no domain and no period */
    gboolean coded;        /* of the ledger: takes the code of a problem, or the name of a group */
    gboolean trusting;     /* the function's fourth argument leaves out what nobody vouches for */
    gboolean classed;      /* its rows have a class, and may be had of one class alone */
    gboolean single;       /* one row: a table writes one column a line */
    const char *table;     /* columns of a table, separated by spaces; NULL: all */
    const char *sparse;    /* columns that a table does without where no row has a value; or NULL */
    /* Columns that a table which is too wide does without, in this order; or NULL. What is behind a | goes
     * only where the table could not be made to fit otherwise. */
    const char *narrow;
    const char *whole; /* columns of text that a table shows in full, in several lines if need be; or NULL */
    /* What a text keeps of a line before other columns are left out: "sender=30 evidence=24"; or NULL. */
    const char *ease;
    guint least;        /* what texts in full keep in any case, or the table becomes a list; 0: as all text */
    const char *advice; /* a column whose texts follow below a table, each once; or NULL */
    const char *empty;  /* what a table says when there is no row: "no reports" */
    gboolean choosy;    /* there may be no row where there are reports */
};
extern const struct report_row report_catalog[]; /* ends with name NULL */
/* The report of a command, or with an option of it; NULL when there is none. */
const struct report_row *report_find(const char *name, const char *option);

enum report_format { FORMAT_TABLE, FORMAT_CSV, FORMAT_JSON };
gboolean report_format_parse(const char *word, enum report_format *format_r);
/* For who has rows of his own to show. */
const struct renderer *report_renderer(enum report_format format);

/* What a column of a result holds, by its type (pg_type oid), and by its name where that does not say it. */
enum column_kind report_column_kind(const char *name, guint type);

struct report_request {
    const struct report_row *row;
    const char *domain;        /* normalised, or NULL for all */
    const char *code;          /* of problems, or NULL for all; only where the row is coded */
    const char *since, *until; /* ISO days, until exclusive; NULL: open */
    const char *class;         /* only rows of this class, or NULL; only where the row is classed */
    gboolean trusted;          /* without what nobody vouches for; only where the row is trusting */
    const char
        *sort;    /* a column of the function, "-" in front for descending; NULL: the function's own order */
    gint64 limit; /* 0: all */
    enum report_format format;
    gboolean color;
    guint width; /* of the terminal; 0: do not fit */
};
/* Runs it and writes to out. WS_ERROR_USAGE for a sort that is no column of it, WS_ERROR_SYSTEM when out
 * cannot be written, else the errors of the database. */
gboolean report_run(struct db *db, const struct report_request *request, FILE *out, GError **error);
