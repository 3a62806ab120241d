#include "cli/help.h"

#include "db/schema.h"
#include "parser/domain.h"

#include <stdio.h>
#include <string.h>

/* "name   text": the names of one list are padded alike. */
static void print_row(const char *name, int width, const char *text)
{
    printf("  %-*s  %s\n", width, name, text);
}

static void print_options(const char *title, const struct option_row *rows)
{
    printf("\n%s:\n", title);
    for (const struct option_row *row = rows; row->name; row++) {
        if (!row->meaning)
            continue;
        const char letter[] = {'-', row->letter, ',', ' ', 0};
        g_autofree char *name = g_strdup_printf("%s--%s%s%s", row->letter ? letter : "    ", row->name,
                                                row->value ? " " : "", row->value ? row->value : "");
        print_row(name, 26, row->meaning);
    }
}

void help_all(void)
{
    puts("whosends: who sends as my domain, and may they? Answers from DMARC reports.\n\n"
         "usage: whosends [OPTION]... COMMAND [OPTION|ARGUMENT]...");
    for (const char *const *group = command_groups; *group; group++) {
        printf("\n%s:\n", *group);
        for (const struct command *command = command_table(); command->name; command++) {
            if (strcmp(command->group, *group) == 0)
                print_row(command->name, 10, command->summary);
        }
    }
    print_options("options of all commands", options_global);
    puts("\n\"whosends help COMMAND\" tells more; the manual is whosends(1) and whosends.conf(5).");
}

void help_command(const struct command *command)
{
    printf("usage: whosends %s%s%s%s\n\n%s\n", command->name,
           command->options && command->options[0].meaning ? " [OPTION]..." : "", *command->usage ? " " : "",
           command->usage, command->summary);
    if (command->details)
        printf("\n%s\n", command->details);
    if (command->options && command->options[0].meaning)
        print_options("options", command->options);
    print_options("options of all commands", options_global);
}

static void print_key(const char *group, const char *name, const char *value, const char *meaning,
                      gboolean variable)
{
    g_autofree char *in_environment = config_variable(group, name);
    printf("  %s =%s%s\n      %s\n", name, *value ? " " : "", value, meaning);
    if (variable)
        printf("      %s\n", in_environment);
}

/* As it would be written: with K, M or G where that is exact. Owned by the caller. */
static char *limit_text(const struct limit_row *row)
{
    guint64 value = row->wide ? G_STRUCT_MEMBER(guint64, &limits_default, row->offset)
                              : G_STRUCT_MEMBER(guint, &limits_default, row->offset);
    static const char *const units[] = {"", "K", "M", "G"};
    guint unit = 0;
    for (; value && value % 1024 == 0 && unit + 1 < G_N_ELEMENTS(units); unit++)
        value /= 1024;
    return g_strdup_printf("%" G_GUINT64_FORMAT "%s", value, units[unit]);
}

static void print_limits(void)
{
    printf("\n[limits]\n");
    for (const struct limit_row *row = limit_rows; row->name; row++) {
        g_autofree char *text = limit_text(row);
        print_key("limits", row->name, text, row->meaning, TRUE);
    }
}

void help_config(void)
{
    const char *group = "";
    puts("The first of these files that is there: --config FILE, $WHOSENDS_CONFIG,\n"
         "~/.config/whosends/whosends.conf, /etc/whosends/whosends.conf. Each key is also an environment\n"
         "variable, and --set GROUP.KEY=VALUE. A group [imap NAME] is another account: it takes the keys of\n"
         "[imap], which it has from there unless they say who somebody is or prove it.");
    for (const struct config_key *key = config_keys; key->group; key++) {
        if (strcmp(group, key->group) != 0)
            printf("\n[%s]\n", key->group);
        group = key->group;
        g_autofree char *value = key->kind == CONFIG_CHOICE
                                     ? g_strdup_printf("%s  (%s)", key->initial, key->range)
                                     : g_strdup(key->initial ? key->initial : "");
        print_key(key->group, key->name, value, key->meaning, key->kind != CONFIG_SECRET);
    }
    print_limits();
}

void help_table(void)
{
    for (const struct option_row *row = options_global; row->name; row++)
        printf("whosends --%s\n", row->name);
    for (const struct command *command = command_table(); command->name; command++) {
        printf("%s\n", command->name);
        for (const struct option_row *row = command->options; row && row->name; row++) {
            if (row->meaning)
                printf("%s --%s\n", command->name, row->name);
        }
    }
    for (const struct config_key *key = config_keys; key->group; key++)
        printf("%s.%s = %s\n", key->group, key->name, key->initial ? key->initial : "");
    for (const struct limit_row *row = limit_rows; row->name; row++) {
        g_autofree char *text = limit_text(row);
        printf("limits.%s = %s\n", row->name, text);
    }
}

void help_version(void)
{
    struct domain_list *list = domain_list_new();
    printf("whosends %s\nschema: %d\npublic suffix list: %s\n", WHOSENDS_VERSION, schema_latest(),
           domain_list_describe(list));
    domain_list_free(list);
}

gboolean cmd_help(struct cli *cli, GError **error)
{
    const char *topic = cli->arguments[0];
    const struct command *command = topic && strcmp(topic, "config") != 0 ? command_find(topic, error) : NULL;
    if (cli->options.table)
        help_table();
    else if (!topic)
        help_all();
    else if (strcmp(topic, "config") == 0)
        help_config();
    else if (command)
        help_command(command);
    else
        return FALSE;
    return TRUE;
}
