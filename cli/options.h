/* Options as rows of tables: what the parser takes, the help shows and the manual is checked against. */
#pragma once

#include <glib.h>

/* Every option of every command; those that a command does not know stay NULL or FALSE. */
struct options {
    gboolean help, version, verbose;
    char *config, *database, **settings;
    /* ingest */
    gboolean quiet, no_confine, watch;
    char *workers;
    char *watched; /* account of the one folder that this process is for */
    char *after, **accounts, *mailbox, **limits;
    /* reports */
    gboolean no_color, trusted, disagree, untrusted, samples, line, fresh;
    char *domain, *last, *since, *until, *format, *sort, *limit, *by, *group, *class;
    /* html */
    char *output;
    /* show */
    gboolean raw;
    /* names */
    gboolean no_dns;
    /* approve, disown */
    gboolean forget;
    char *note;
    /* retry, reparse, problems, init, upgrade */
    gboolean all, dry_run, list;
    char *code;
    /* init */
    gboolean tune;
    /* prune, fsck, grant, revoke */
    gboolean yes, repair;
    char *keep, *before, **domains, **groups;
    /* help */
    gboolean table;
};

enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_LIST };

struct option_row {
    const char *name;
    char letter; /* 0: none */
    enum option_kind kind;
    gsize offset;        /* in struct options */
    const char *value;   /* how the help calls it; NULL for a flag */
    const char *meaning; /* NULL: not shown */
};

/* Whether this account is to be read: all are, when none is named. */
gboolean options_want_account(const struct options *options, const char *name);

/* All tables end with name NULL. */
extern const struct option_row options_global[], options_ingest[], options_report[], options_reporters[],
    options_senders[], options_sources[], options_verdict[], options_failures[], options_html[],
    options_catalogue[], options_decide[], options_explain[], options_ledger[], options_problems[],
    options_show[], options_retry[], options_reparse[], options_init[], options_upgrade[], options_maintain[],
    options_prune[], options_fsck[], options_grant[], options_names[], options_help[];

/* Takes the first argument that is no option, and no value of a global option, out of argv (NULL-terminated,
 * of allocated strings): the command, NULL when there is none. Owned by the caller. Fails with WS_ERROR_USAGE
 * when an option that is not global stands before it. */
gboolean options_take_command(char **argv, char **command_r, GError **error);

/* Takes the options of both tables out of argv; `special` may be NULL. What stays are the arguments, argv[0]
 * included; the first "--" goes, and all behind it are arguments. Fails with WS_ERROR_USAGE. */
gboolean options_parse(struct options *options, const struct option_row *special, char ***argv,
                       GError **error);
void options_clear(struct options *options);
