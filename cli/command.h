/* The command table. The reports of reports/catalog.h become commands by themselves; all others stand here.
 */
#pragma once

#include "cli/config.h"
#include "cli/options.h"
#include "ingest/nursery.h"

struct command;

/* One run of the program. */
struct cli {
    const struct command *command;
    struct options options;
    char **argv;             /* all, as the program was called */
    char **arguments;        /* behind the command, without options */
    struct config config;    /* only for commands that want it */
    struct nursery *nursery; /* where mail is decoded; NULL with --no-confine */
    gint64 now;              /* seconds */
    int status;              /* exit status when nothing failed */
};

struct command {
    const char *name, *group;
    const char *usage;   /* arguments, for "usage: whosends NAME USAGE" */
    const char *summary; /* a line, lower case */
    const char *details; /* paragraphs for its help; may be NULL */
    const struct option_row *options;
    guint most;          /* arguments at most */
    gboolean configured; /* wants cli->config */
    gboolean decodes;    /* wants cli->nursery */
    gboolean (*run)(struct cli *cli, GError **error);
};

extern const char *const command_groups[]; /* in the order of the help; ends with NULL */

/* All commands, in the order of the help; ends with name NULL. */
const struct command *command_table(void);
/* NULL with WS_ERROR_USAGE, naming the nearest. */
const struct command *command_find(const char *name, GError **error);

gboolean cmd_ingest(struct cli *cli, GError **error);
gboolean cmd_init(struct cli *cli, GError **error);
gboolean cmd_upgrade(struct cli *cli, GError **error);
gboolean cmd_stop(struct cli *cli, GError **error);
gboolean cmd_report(struct cli *cli, GError **error);
gboolean cmd_html(struct cli *cli, GError **error);
gboolean cmd_problems(struct cli *cli, GError **error);
gboolean cmd_show(struct cli *cli, GError **error);
gboolean cmd_retry(struct cli *cli, GError **error);
gboolean cmd_reparse(struct cli *cli, GError **error);
gboolean cmd_verdict(struct cli *cli, GError **error);
gboolean cmd_explain(struct cli *cli, GError **error);
gboolean cmd_approve(struct cli *cli, GError **error);
gboolean cmd_disown(struct cli *cli, GError **error);
gboolean cmd_catalogue(struct cli *cli, GError **error);
gboolean cmd_group(struct cli *cli, GError **error);
gboolean cmd_maintain(struct cli *cli, GError **error);
gboolean cmd_prune(struct cli *cli, GError **error);
gboolean cmd_names(struct cli *cli, GError **error);
gboolean cmd_fsck(struct cli *cli, GError **error);
gboolean cmd_grant(struct cli *cli, GError **error);
gboolean cmd_revoke(struct cli *cli, GError **error);
gboolean cmd_sql(struct cli *cli, GError **error);
gboolean cmd_help(struct cli *cli, GError **error);

/* The report of the command, which takes neither domain nor period: of one group, or of all of them (NULL).
 */
gboolean report_of_group(struct cli *cli, const char *group, GError **error);
