#include "cli/options.h"

#include "cli/nearest.h"
#include "parser/error.h"
#include "reports/render.h"

#include <string.h>

#define AT(member) G_STRUCT_OFFSET(struct options, member)
#define END                                                                                                  \
    {                                                                                                        \
        NULL, 0, OPTION_FLAG, 0, NULL, NULL                                                                  \
    }

const struct option_row options_global[] = {
    {"config", 0, OPTION_TEXT, AT(config), "FILE", "read this configuration file and no other"},
    {"database", 0, OPTION_TEXT, AT(database), "CONNINFO", "use this database: a libpq conninfo or URI"},
    {"set", 0, OPTION_LIST, AT(settings), "GROUP.KEY=VALUE",
     "set a key of the configuration; may be repeated"},
    {"verbose", 'v', OPTION_FLAG, AT(verbose), NULL, "say more about what is done"},
    {"help", 'h', OPTION_FLAG, AT(help), NULL, "show the help of the command"},
    {"version", 0, OPTION_FLAG, AT(version), NULL, "show the version"},
    END,
};

#define WORKERS                                                                                              \
    {"workers",   0,   OPTION_TEXT,                                                                          \
     AT(workers), "N", "worker processes that decode mail at once; default: the CPUs"},                      \
    {                                                                                                        \
        "no-confine", 0, OPTION_FLAG, AT(no_confine), NULL,                                                  \
            "decode mail in this process, where it can do harm: to look for errors only"                     \
    }

const struct option_row options_ingest[] = {
    {"after", 0, OPTION_TEXT, AT(after), "WORD",
     "what becomes of mail that is in the ledger: leave, flag, move or delete"},
    {"account", 0, OPTION_LIST, AT(accounts), "NAME",
     "read only this account of the configuration; may be repeated"},
    {"mailbox", 0, OPTION_TEXT, AT(mailbox), "NAME", "read this IMAP folder instead of the configured ones"},
    {"watch", 0, OPTION_FLAG, AT(watch), NULL, "go on for ever: read mail as it comes"},
    {"watched", 0, OPTION_TEXT, AT(watched), "NAME", NULL},
    {"limit", 0, OPTION_LIST, AT(limits), "NAME=VALUE", "change a limit for this run; may be repeated"},
    WORKERS,
    {"quiet", 'q', OPTION_FLAG, AT(quiet), NULL, "no progress, and a summary only when there is a problem"},
    END,
};

#define REPORT_FORMAT                                                                                        \
    {"format", 0, OPTION_TEXT, AT(format), "WORD", "table, csv or json"},                                    \
        {"sort", 0, OPTION_TEXT, AT(sort), "COLUMN", "order by a column, -COLUMN for descending"},           \
        {"limit", 0, OPTION_TEXT, AT(limit), "N", "at most so many rows"},                                   \
    {                                                                                                        \
        "no-color", 0, OPTION_FLAG, AT(no_color), NULL, "no colours on a terminal"                           \
    }

#define PERIOD                                                                                               \
    {"group", 0, OPTION_TEXT, AT(group), "NAME", "only the domains of this group"},                          \
        {"last",   0,        OPTION_TEXT,                                                                    \
         AT(last), "PERIOD", "today and so many days (30d), weeks (4w), months (6m) or years (1y) before"},  \
        {"since", 0, OPTION_TEXT, AT(since), "DAY", "from this day on, as 2026-07-01 (UTC)"},                \
        {"until", 0, OPTION_TEXT, AT(until), "DAY", "up to this day, itself included"},                      \
    {                                                                                                        \
        "trusted", 0, OPTION_FLAG, AT(trusted), NULL, "without the reports of problems --untrusted"          \
    }

#define REPORT_PERIOD                                                                                        \
    {"domain", 0, OPTION_TEXT, AT(domain), "DOMAIN", "only this policy domain; the same as the argument"},   \
        PERIOD

const struct option_row options_report[] = {REPORT_PERIOD, REPORT_FORMAT, END};

const struct option_row options_reporters[] = {
    REPORT_PERIOD,
    {"disagree", 0, OPTION_FLAG, AT(disagree), NULL,
     "those whose verdicts differ from their own results, and how often"},
    REPORT_FORMAT,
    END,
};

#define REPORT_CLASS                                                                                         \
    {                                                                                                        \
        "class", 0, OPTION_TEXT, AT(class), "NAME", "only authorised, misconfigured, forwarded or unknown"   \
    }

const struct option_row options_senders[] = {
    REPORT_PERIOD, {"new", 0, OPTION_FLAG, AT(fresh), NULL, "those that were not seen before the period"},
    REPORT_CLASS,  REPORT_FORMAT,
    END,
};

const struct option_row options_sources[] = {
    REPORT_PERIOD,
    REPORT_CLASS,
    {"by", 0, OPTION_TEXT, AT(by), "WORD", "net: the addresses of a network (/24, of IPv6 /48) together"},
    REPORT_FORMAT,
    END,
};

const struct option_row options_verdict[] = {
    REPORT_PERIOD,
    REPORT_CLASS,
    {"line", 0, OPTION_FLAG, AT(line), NULL, "one line for each domain, with the sentence as a column"},
    REPORT_FORMAT,
    END,
};

const struct option_row options_failures[] = {
    REPORT_PERIOD,
    REPORT_CLASS,
    {"samples", 0, OPTION_FLAG, AT(samples), NULL, "the failure reports one by one, the latest first"},
    REPORT_FORMAT,
    END,
};

const struct option_row options_html[] = {
    {"output", 'o', OPTION_TEXT, AT(output), "DIR", "the directory for the pages; it is made"},
    PERIOD,
    END,
};

const struct option_row options_ledger[] = {REPORT_FORMAT, END};

const struct option_row options_problems[] = {
    {"untrusted", 0, OPTION_FLAG, AT(untrusted), NULL,
     "reports that somebody else sent in a reporter's name, or about domains that are not ours"},
    {"list", 0, OPTION_FLAG, AT(list), NULL, "one by one, with the number of each mail for show and retry"},
    REPORT_FORMAT,
    END,
};

const struct option_row options_explain[] = {
    {"format", 0, OPTION_TEXT, AT(format), "WORD", "table, csv or json"},
    END,
};

const struct option_row options_decide[] = {
    {"note", 0, OPTION_TEXT, AT(note), "TEXT", "why, for who comes after you"},
    {"forget", 0, OPTION_FLAG, AT(forget), NULL, "take back what was said of the sender"},
    END,
};

const struct option_row options_catalogue[] = {
    {"dry-run", 0, OPTION_FLAG, AT(dry_run), NULL, "change nothing, and say what would change"},
    END,
};

const struct option_row options_show[] = {
    {"format", 0, OPTION_TEXT, AT(format), "WORD", "table or json"},
    {"raw", 0, OPTION_FLAG, AT(raw), NULL, "the mail itself, byte by byte, where its original is kept"},
    END,
};

#define READ_AGAIN                                                                                           \
    {"limit", 0, OPTION_LIST, AT(limits), "NAME=VALUE", "change a limit for this run; may be repeated"},     \
        WORKERS,                                                                                             \
    {                                                                                                        \
        "quiet", 'q', OPTION_FLAG, AT(quiet), NULL,                                                          \
            "no progress, and a summary only when something is left to do"                                   \
    }

const struct option_row options_retry[] = {
    {"code", 0, OPTION_TEXT, AT(code), "CODE", "all with a problem of this code, see problems"},
    {"all", 0, OPTION_FLAG, AT(all), NULL, "all with a problem"},
    READ_AGAIN,
    END,
};

const struct option_row options_reparse[] = {
    {"domain", 0, OPTION_TEXT, AT(domain), "DOMAIN", "only mails with reports about this policy domain"},
    {"since", 0, OPTION_TEXT, AT(since), "DAY",
     "only mails with reports from this day on, as 2026-07-01 (UTC)"},
    {"dry-run", 0, OPTION_FLAG, AT(dry_run), NULL, "change nothing, and list what would change"},
    READ_AGAIN,
    END,
};

#define DRY_UPGRADE                                                                                          \
    {                                                                                                        \
        "dry-run", 0, OPTION_FLAG, AT(dry_run), NULL, "do all of it, say what it was, and take it back"      \
    }

const struct option_row options_init[] = {
    DRY_UPGRADE,
    {"tune", 0, OPTION_FLAG, AT(tune), NULL,
     "only say what a server of its own should have in postgresql.conf, and why"},
    END,
};

const struct option_row options_upgrade[] = {DRY_UPGRADE, END};

const struct option_row options_maintain[] = {
    {"quiet", 'q', OPTION_FLAG, AT(quiet), NULL, "no progress and no summary"},
    END,
};

const struct option_row options_prune[] = {
    {"keep", 0, OPTION_TEXT, AT(keep), "PERIOD",
     "keep so many days (90d), weeks, months (18m) or years (2y)"},
    {"before", 0, OPTION_TEXT, AT(before), "DAY",
     "instead: take away what lies before the month of this day"},
    {"dry-run", 0, OPTION_FLAG, AT(dry_run), NULL, "change nothing, and say what would go"},
    {"yes", 'y', OPTION_FLAG, AT(yes), NULL, "do not ask"},
    {"quiet", 'q', OPTION_FLAG, AT(quiet), NULL, "no progress and no summary"},
    END,
};

const struct option_row options_names[] = {
    {"no-dns", 0, OPTION_FLAG, AT(no_dns), NULL, "ask no name servers: only look into the mmdb files"},
    {"limit", 0, OPTION_TEXT, AT(limit), "N", "at most so many addresses; default: 50000"},
    {"quiet", 'q', OPTION_FLAG, AT(quiet), NULL, "no progress, and nothing when all went well"},
    END,
};

const struct option_row options_fsck[] = {
    {"repair", 0, OPTION_FLAG, AT(repair), NULL, "make anew what follows from the records, and look again"},
    {"format", 0, OPTION_TEXT, AT(format), "WORD", "table, csv or json"},
    {"no-color", 0, OPTION_FLAG, AT(no_color), NULL, "no colours on a terminal"},
    {"quiet", 'q', OPTION_FLAG, AT(quiet), NULL, "no progress, and no table when all is well"},
    END,
};

const struct option_row options_grant[] = {
    {"domain", 0, OPTION_LIST, AT(domains), "DOMAIN", "a policy domain; may be repeated"},
    {"group", 0, OPTION_LIST, AT(groups), "NAME", "the domains of a group, now and later; may be repeated"},
    END,
};

const struct option_row options_help[] = {
    {"table", 0, OPTION_FLAG, AT(table), NULL, NULL},
    END,
};

static gboolean usage(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static gboolean usage(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, WS_ERROR, WS_ERROR_USAGE, message);
    return FALSE;
}

/* The global option that an argument names, whole or up to "="; NULL when it names none. */
static const struct option_row *global_option(const char *argument)
{
    for (const struct option_row *row = options_global; row->name; row++) {
        if (row->letter && argument[0] == '-' && argument[1] == row->letter && !argument[2])
            return row;
        if (!g_str_has_prefix(argument, "--"))
            continue;
        gsize length = strlen(row->name);
        if (strncmp(argument + 2, row->name, length) == 0 &&
            (!argument[2 + length] || (argument[2 + length] == '=' && row->kind != OPTION_FLAG)))
            return row;
    }
    return NULL;
}

gboolean options_want_account(const struct options *options, const char *name)
{
    return !options->accounts || g_strv_contains((const char *const *)options->accounts, name);
}

gboolean options_take_command(char **argv, char **command_r, GError **error)
{
    char **at = argv[0] ? argv + 1 : argv;
    *command_r = NULL;
    for (; *at && (*at)[0] == '-' && (*at)[1]; at++) {
        const struct option_row *row = global_option(*at);
        if (!row) {
            g_autofree char *safe = render_safe(*at);
            return usage(error,
                         "unknown option '%s' before the command\nhint: options of a command stand behind it",
                         safe);
        }
        if (row->kind != OPTION_FLAG && !strchr(*at, '=') && at[1])
            at++;
    }
    if (*at) {
        *command_r = *at;
        memmove(at, at + 1, (g_strv_length(at + 1) + 1) * sizeof *at);
    }
    return TRUE;
}

static gboolean unknown_option(const char *argument, const struct option_row *special, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const struct option_row *tables[] = {options_global, special};
    for (guint i = 0; i < 2; i++) {
        for (const struct option_row *row = tables[i]; row && row->name; row++)
            g_ptr_array_add(names, (gpointer)row->name);
    }
    g_ptr_array_add(names, NULL);
    g_autofree char *word = g_strndup(argument, strcspn(argument, "="));
    g_autofree char *safe = render_safe(word);
    const char *near =
        g_str_has_prefix(word, "--") ? nearest_word(word + 2, (const char *const *)names->pdata) : NULL;
    return usage(error, "unknown option '%s'%s%s%s", safe, near ? "\nhint: did you mean '--" : "",
                 near ? near : "", near ? "'?" : "");
}

static void add_entries(GArray *entries, const struct option_row *row, struct options *options)
{
    static const GOptionArg kinds[] = {G_OPTION_ARG_NONE, G_OPTION_ARG_FILENAME, G_OPTION_ARG_FILENAME_ARRAY};
    for (; row && row->name; row++) {
        const GOptionEntry entry = {.long_name = row->name,
                                    .short_name = row->letter,
                                    .arg = kinds[row->kind],
                                    .arg_data = G_STRUCT_MEMBER_P(options, row->offset)};
        g_array_append_val(entries, entry);
    }
}

/* The options of `head`; anything left that looks like one is unknown. */
static gboolean parse_head(struct options *options, const struct option_row *special, char ***head,
                           GError **error)
{
    g_autoptr(GError) broken = NULL;
    g_autoptr(GArray) entries = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));
    add_entries(entries, options_global, options);
    add_entries(entries, special, options);
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, (const GOptionEntry *)(gpointer)entries->data, NULL);
    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_set_ignore_unknown_options(context, TRUE);
    if (!g_option_context_parse_strv(context, head, &broken)) {
        broken->message[0] = g_ascii_tolower(broken->message[0]);
        return usage(error, "%s", broken->message);
    }
    for (char **argument = *head; *argument; argument++) {
        if (argument != *head && (*argument)[0] == '-' && (*argument)[1])
            return unknown_option(*argument, special, error);
    }
    return TRUE;
}

gboolean options_parse(struct options *options, const struct option_row *special, char ***argv,
                       GError **error)
{
    GStrvBuilder *head = g_strv_builder_new();
    char **tail = *argv;
    for (; *tail && strcmp(*tail, "--") != 0; tail++)
        g_strv_builder_add(head, *tail);
    char **arguments = g_strv_builder_end(head);
    g_strv_builder_unref(head);
    gboolean ok = parse_head(options, special, &arguments, error);
    if (ok) {
        GStrvBuilder *all = g_strv_builder_new();
        g_strv_builder_addv(all, (const char **)arguments);
        if (*tail)
            g_strv_builder_addv(all, (const char **)(tail + 1));
        g_strfreev(*argv);
        *argv = g_strv_builder_end(all);
        g_strv_builder_unref(all);
    }
    g_strfreev(arguments);
    return ok;
}

void options_clear(struct options *options)
{
    g_strfreev(options->settings);
    g_strfreev(options->limits);
    g_strfreev(options->accounts);
    g_strfreev(options->domains);
    g_strfreev(options->groups);
    char *texts[] = {options->config, options->database, options->after, options->mailbox, options->watched,
                     options->domain, options->last,     options->since, options->until,   options->format,
                     options->sort,   options->limit,    options->by,    options->group,   options->note,
                     options->class,  options->code,     options->keep,  options->before,  options->output};
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    memset(options, 0, sizeof *options);
}
