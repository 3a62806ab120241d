#include "cli/command.h"

#include "cli/nearest.h"
#include "parser/error.h"
#include "reports/catalog.h"
#include "reports/render.h"

#include <string.h>

#define GROUP_MAIL "mail"
#define GROUP_REPORTS "reports"
#define GROUP_SENDERS "senders"
#define GROUP_DATABASE "database"
#define GROUP_OTHER "other"
#define ANY G_MAXUINT

const char *const command_groups[] = {GROUP_MAIL,     GROUP_REPORTS, GROUP_SENDERS,
                                      GROUP_DATABASE, GROUP_OTHER,   NULL};

static const struct command commands[] = {
    {.name = "ingest",
     .group = GROUP_MAIL,
     .usage = "[PATH|URL|-]...",
     .summary = "read mail into the database",
     .details =
         "Reads a Maildir, an mbox, mails, bare reports (.xml, .json, .gz, .zip), directories of these, "
         "standard\n"
         "input (-), or a mailbox as imaps://USER@HOST/FOLDER (imap:// for STARTTLS). Without an argument "
         "it\n"
         "reads all IMAP accounts of the configuration. An empty database gets its schema first.\n"
         "\n"
         "What is named on the command line is left as it is; IMAP mail is moved to Processed and Problems,\n"
         "after it is in the database. A mail that cannot be read is a problem in the ledger, not a "
         "failure:\n"
         "see \"whosends problems\".",
     .options = options_ingest,
     .most = ANY,
     .configured = TRUE,
     .decodes = TRUE,
     .run = cmd_ingest},
    {.name = "problems",
     .group = GROUP_MAIL,
     .usage = "[CODE]",
     .details =
         "Each reason, how many problems are alike, since when, and the number of the latest mail for "
         "\"whosends\n"
         "show\". With CODE, or --list, one by one. Below the table, each reason is explained with what "
         "can be\n"
         "done about it; after an upgrade, \"whosends retry\" reads them again.",
     .options = options_problems,
     .most = 1,
     .configured = TRUE,
     .run = cmd_problems},
    {.name = "show",
     .group = GROUP_MAIL,
     .usage = "REF",
     .summary = "everything that is known of a mail and what was in it",
     .details = "REF is the number of a mail in the ledger, the beginning of its SHA-256 (six digits at "
                "least), its\n"
                "source, its Message-ID, or the report_id of a report that it brought.",
     .options = options_show,
     .most = 1,
     .configured = TRUE,
     .run = cmd_show},
    {.name = "retry",
     .group = GROUP_MAIL,
     .usage = "[REF]",
     .summary = "read problems again, with what this version knows",
     .details =
         "Mails with problems whose originals are kept are read again: one that is named as in "
         "\"whosends show\",\n"
         "those with a --code, or --all. What is solved is stored as if it had come now, and is no "
         "problem any\n"
         "more; \"whosends show\" still tells what it was. The exit status is 65 when problems are left.",
     .options = options_retry,
     .most = 1,
     .configured = TRUE,
     .decodes = TRUE,
     .run = cmd_retry},
    {.name = "reparse",
     .group = GROUP_MAIL,
     .usage = "",
     .summary = "read kept mails again, and correct what is stored",
     .details = "Reads all originals again. Where this version understands a report in another way, what is "
                "stored\n"
                "gives way to that, one mail a transaction. A mail in which not every stored report is found "
                "again\n"
                "is left as it is and named, and the exit status is 65.",
     .options = options_reparse,
     .configured = TRUE,
     .decodes = TRUE,
     .run = cmd_reparse},
    {.name = "verdict",
     .group = GROUP_REPORTS,
     .usage = "[DOMAIN]",
     .details = "Replays the mail of the period: how many messages of which sender would go to spam under "
                "p=quarantine, "
                "be\n"
                "refused under p=reject, and be lost besides with strict alignment. Below the table a "
                "sentence for each "
                "domain\n"
                "says whether it is time for the next step, by the rules in whosends(1). The exit status is "
                "0 when it is, "
                "for\n"
                "all of them, and 1 when it is not yet.",
     .options = options_verdict,
     .most = 1,
     .configured = TRUE,
     .run = cmd_verdict},
    {.name = "explain",
     .group = GROUP_REPORTS,
     .usage = "REF [N] | DOMAIN ADDRESS",
     .summary = "how one record was judged, step by step",
     .details = "REF is a mail, as in \"whosends show\", or the report_id of a report, and N the number of "
                "the record in "
                "it;\n"
                "without N it is the record with most messages. With an address, it is the latest record of "
                "the kind "
                "that\n"
                "most messages of this address are of, in mail of the domain.",
     .options = options_explain,
     .most = 2,
     .configured = TRUE,
     .run = cmd_explain},
    {.name = "approve",
     .group = GROUP_SENDERS,
     .usage = "DOMAIN SENDER",
     .summary = "a sender may send as a domain",
     .details = "SENDER is a key or name of the catalogue, as reports show it, or the domain of a sender "
                "that is not "
                "known,\n"
                "which stands for all below it. What it sends that does not authenticate as the domain is "
                "misconfigured "
                "from\n"
                "then on, however little is known of it.",
     .options = options_decide,
     .most = 2,
     .configured = TRUE,
     .run = cmd_approve},
    {.name = "disown",
     .group = GROUP_SENDERS,
     .usage = "DOMAIN SENDER",
     .summary = "a sender may not send as a domain",
     .details =
         "What it sends that does not authenticate as the domain is unknown from then on, and counts against "
         "nothing.\n"
         "What does authenticate as the domain passes DMARC all the same: that ends in the domain's DNS.",
     .options = options_decide,
     .most = 2,
     .configured = TRUE,
     .run = cmd_disown},
    {.name = "catalogue",
     .group = GROUP_SENDERS,
     .usage = "[FILE|-]",
     .summary = "senders of your own, from a file or as one",
     .details = "Puts those of FILE, a CSV with the columns sender,name,kind,advice,rule,pattern, in place "
                "of all that are your\n"
                "own, and judges stored mail again. Without FILE it prints them as such a file.",
     .options = options_catalogue,
     .most = 1,
     .configured = TRUE,
     .run = cmd_catalogue},
    {.name = "group",
     .group = GROUP_SENDERS,
     .usage = "[NAME [add|remove DOMAIN...]]",
     .details = "Without a name all groups, with one its domains. Reports take --group NAME.",
     .options = options_ledger,
     .most = ANY,
     .configured = TRUE,
     .run = cmd_group},
    {.name = "html",
     .group = GROUP_REPORTS,
     .usage = "-o DIR [DOMAIN]...",
     .summary = "the reports as pages with charts, for a browser",
     .details =
         "Writes index.html and a page for each DOMAIN, or for all policy domains with reports, into DIR: "
         "one\n"
         "file each, which needs no server and no script and loads nothing from elsewhere. It is about the\n"
         "last 90 days unless a period is given. Pages that are there already are replaced, others stay.",
     .options = options_html,
     .most = ANY,
     .configured = TRUE,
     .run = cmd_html},
    {.name = "init",
     .group = GROUP_DATABASE,
     .usage = "",
     .summary = "create the schema, or bring it up to date",
     .options = options_init,
     .configured = TRUE,
     .run = cmd_init},
    {.name = "upgrade",
     .group = GROUP_DATABASE,
     .usage = "",
     .summary = "bring an existing schema up to date",
     .details =
         "Each migration is a transaction; what was broken off is gone on with by the next run. Mail that "
         "comes\n"
         "meanwhile waits where it is. With --dry-run all of it is done in one transaction, which is rolled\n"
         "back, and takes the same locks while it runs.",
     .options = options_upgrade,
     .configured = TRUE,
     .run = cmd_upgrade},
    {.name = "maintain",
     .group = GROUP_DATABASE,
     .usage = "",
     .summary = "do what has to be done now and then; for cron",
     .details =
         "Makes the partitions of the months to come, sums up the addresses of reports that came since "
         "the last\n"
         "time, and judges again what the catalogue of senders says otherwise now. May run beside all "
         "else and be\n"
         "broken off at any time.",
     .options = options_maintain,
     .configured = TRUE,
     .run = cmd_maintain},
    {.name = "prune",
     .group = GROUP_DATABASE,
     .usage = "",
     .summary = "take away what is old, month by month",
     .details =
         "Reports, records and sums of the months that lie wholly before the cut-off: the first day of "
         "the month\n"
         "that --keep or --before leads to. Then the mails that came before it and have no younger "
         "report, with their\n"
         "originals. Asks first on a terminal, and wants --yes elsewhere.",
     .options = options_prune,
     .configured = TRUE,
     .run = cmd_prune},
    {.name = "names",
     .group = GROUP_DATABASE,
     .usage = "",
     .summary = "look up whose the addresses in the reports are",
     .details =
         "Asks for the reverse names of addresses that were seen in the last 90 days, and keeps those that "
         "are\n"
         "confirmed: one of the addresses of the name is the address again. With key mmdb it looks up "
         "networks,\n"
         "countries and autonomous systems, too. The latest come first, and nothing is asked twice before "
         "it\n"
         "expires. For cron; ingest never asks anybody.",
     .options = options_names,
     .configured = TRUE,
     .run = cmd_names},
    {.name = "fsck",
     .group = GROUP_DATABASE,
     .usage = "",
     .summary = "prove that what is stored holds together",
     .details =
         "Each check says how many it looked at, how many are wrong, and shows one. The exit status is "
         "65 when\n"
         "anything is. --repair makes totals, classes and sums anew from the records, which it never "
         "touches.",
     .options = options_fsck,
     .configured = TRUE,
     .run = cmd_fsck},
    {.name = "grant",
     .group = GROUP_DATABASE,
     .usage = "ROLE",
     .summary = "let a role of the database read about some domains",
     .details =
         "ROLE, which is there already, sees these policy domains in all views and functions of schema "
         "dmarc that\n"
         "whosends_customer may use, and nothing of any other. A group stands for the domains that are in "
         "it when\n"
         "ROLE asks.",
     .options = options_grant,
     .most = 1,
     .configured = TRUE,
     .run = cmd_grant},
    {.name = "revoke",
     .group = GROUP_DATABASE,
     .usage = "ROLE",
     .summary = "take domains back from a role",
     .details = "Without --domain and --group, all.",
     .options = options_grant,
     .most = 1,
     .configured = TRUE,
     .run = cmd_revoke},
    {.name = "grants",
     .group = GROUP_DATABASE,
     .usage = "",
     .options = options_ledger,
     .configured = TRUE,
     .run = cmd_report},
    {.name = "sql",
     .group = GROUP_DATABASE,
     .usage = "[-- PSQL-ARGUMENT...]",
     .summary = "open psql on the database",
     .details = "The search_path is \"dmarc, public\". What stands behind -- is handed to psql:\n"
                "\n"
                "    whosends sql -- -c 'select count(*) from report'",
     .most = ANY,
     .configured = TRUE,
     .run = cmd_sql},
    {.name = "stop",
     .group = GROUP_DATABASE,
     .usage = "",
     .summary = "stop the private database cluster",
     .details = "The next command that needs it starts it again.",
     .configured = TRUE,
     .run = cmd_stop},
    {.name = "help",
     .usage = "[COMMAND|config]",
     .group = GROUP_OTHER,
     .summary = "show the help of a command, or the keys of the configuration",
     .options = options_help,
     .most = 1,
     .run = cmd_help},
};

static const char period_details[] =
    "Without DOMAIN it is about all policy domains. Days are UTC days of the beginning of the reported\n"
    "period. CSV has a header line, JSON is an array of objects; a table is fitted to the terminal.";

/* Reports with options of their own. */
static const struct {
    const char *name;
    const struct option_row *options;
} own_options[] = {{"senders", options_senders},
                   {"sources", options_sources},
                   {"reporters", options_reporters},
                   {"failures", options_failures}};

static const struct option_row *options_of(const struct report_row *row)
{
    for (guint i = 0; i < G_N_ELEMENTS(own_options); i++)
        if (strcmp(own_options[i].name, row->name) == 0)
            return own_options[i].options;
    return row->ledger ? options_ledger : options_report;
}

/* The command of a report; what is special about it is taken from `commands` when it is there, too. */
static struct command from_catalog(const struct report_row *row)
{
    struct command command = {.name = row->name,
                              .group = row->ledger ? GROUP_MAIL : GROUP_REPORTS,
                              .usage = row->wants_domain && !row->ledger ? "[DOMAIN]" : "",
                              .summary = row->summary,
                              .details = row->ledger ? NULL : period_details,
                              .options = options_of(row),
                              .most = row->wants_domain && !row->ledger ? 1 : 0,
                              .configured = TRUE,
                              .run = cmd_report};
    return command;
}

const struct command *command_table(void)
{
    static GArray *table;
    if (table)
        return (const struct command *)(gpointer)table->data;
    table = g_array_new(TRUE, TRUE, sizeof(struct command));
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
        struct command command = commands[i];
        const struct report_row *row = report_find(command.name, NULL);
        if (row)
            command.summary = row->summary;
        g_array_append_val(table, command);
    }
    for (const struct report_row *row = report_catalog; row->name; row++) {
        gboolean special = row->option != NULL;
        for (guint i = 0; i < G_N_ELEMENTS(commands); i++)
            special = special || strcmp(commands[i].name, row->name) == 0;
        struct command command = from_catalog(row);
        if (!special)
            g_array_append_val(table, command);
    }
    return (const struct command *)(gpointer)table->data;
}

const struct command *command_find(const char *name, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (const struct command *command = command_table(); command->name; command++) {
        if (strcmp(command->name, name) == 0)
            return command;
        g_ptr_array_add(names, (gpointer)command->name);
    }
    g_ptr_array_add(names, NULL);
    const char *near = nearest_word(name, (const char *const *)names->pdata);
    g_autofree char *safe = render_safe(name);
    g_set_error(error, WS_ERROR, WS_ERROR_USAGE, "unknown command '%s'\nhint: %s%s%s", safe,
                near ? "did you mean '" : "see \"whosends help\"", near ? near : "", near ? "'?" : "");
    return NULL;
}
