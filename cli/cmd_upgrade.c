#include "cli/command.h"
#include "cli/database.h"
#include "cli/log.h"
#include "db/schema.h"
#include "db/tune.h"
#include "db/upgrade.h"
#include "parser/error.h"
#include "reports/render.h"

#include <stdio.h>
#include <string.h>

struct told {
    gboolean dry_run, any;
};

static void part_is_done(const struct upgrade_part *part, gpointer data)
{
    struct told *told = data;
    const char *what = part->file ? part->file : "views, functions and catalogue";
    told->any = TRUE;
    if (!told->dry_run) {
        log_debug("%s: %.1f seconds", what, part->seconds);
        return;
    }
    printf("%s: %.1f seconds, %" G_GINT64_FORMAT " rows%s%s%s\n", what, part->seconds, part->rows,
           part->changes ? " (" : "", part->changes ? part->changes : "", part->changes ? ")" : "");
}

static void is_held_up(const char *by_whom, guint seconds, gpointer data)
{
    (void)data;
    log_warning("the upgrade waits for %s: once more in %u s", by_whom, seconds);
}

/* Nothing fails for want of them here, but all that others may do with the database is up to them. */
static gboolean tell_roles(struct db *db, GError **error)
{
    struct upgrade_roles roles;
    if (!upgrade_roles(db, &roles, error))
        return FALSE;
    if (roles.missing) {
        gboolean several = strchr(roles.missing, ',') != NULL;
        g_autofree char *mine = render_safe(roles.mine);
        log_warning("role%s %s %s missing, and %s may not make roles: nobody can be given rights by %s\n"
                    "hint: %s; as who may, and then \"whosends init\" once more",
                    several ? "s" : "", roles.missing, several ? "are" : "is", mine, several ? "them" : "it",
                    roles.make);
    }
    upgrade_roles_clear(&roles);
    return TRUE;
}

static gboolean upgrade(struct cli *cli, struct db *db, GError **error)
{
    struct told told = {.dry_run = cli->options.dry_run};
    struct upgrade_settings settings = upgrade_defaults;
    settings.dry_run = told.dry_run;
    settings.done = part_is_done;
    settings.held_up = is_held_up;
    settings.data = &told;
    int applied = upgrade_run(db, &settings, error);
    if (applied < 0)
        return FALSE;
    if (!told.dry_run)
        printf("schema dmarc is at version %d, %d applied\n", schema_latest(), applied);
    else if (told.any)
        printf("schema dmarc would be at version %d, %d applied; all of it was taken back\n", schema_latest(),
               applied);
    else
        printf("schema dmarc is at version %d, and nothing is to be done\n", schema_latest());
    return told.dry_run || tell_roles(db, error);
}

static void keep_advice(const struct tune_advice *advice, gpointer data)
{
    GString **lines = data;
    g_autofree char *setting = NULL;
    if (advice->fine) {
        g_string_append_printf(lines[1], "# fine: %s = %s\n", advice->name, advice->is);
        return;
    }
    setting = g_strdup_printf("%s%s = %s", advice->wanted ? "" : "#", advice->name,
                              advice->wanted ? advice->wanted : "...");
    g_string_append_printf(lines[0], "%-46s # is %s%s: %s\n", setting, advice->is,
                           advice->restart ? " (counts after a restart)" : "", advice->why);
}

static gboolean tune(struct cli *cli, GError **error)
{
    struct tune_server server;
    GString *lines[] = {g_string_new(NULL), g_string_new(NULL)};
    struct db *db = database_open(&cli->config, FALSE, error);
    gboolean ok = db && tune_look(db, &server, keep_advice, lines, error);
    db_close(db);
    if (ok) {
        g_autofree char *memory =
            server.memory ? g_strdup_printf("%.1f GB of memory", (double)server.memory / (1 << 30))
                          : g_strdup("memory not known: another machine");
        printf("# For postgresql.conf of a server that is there for whosends alone: PostgreSQL %s, %s.\n%s%s",
               server.version, memory, lines[0]->str, lines[1]->str);
    }
    for (guint i = 0; i < G_N_ELEMENTS(lines); i++)
        g_string_free(lines[i], TRUE);
    return ok;
}

gboolean cmd_init(struct cli *cli, GError **error)
{
    if (cli->options.tune)
        return tune(cli, error);
    g_autofree char *directory = database_directory(&cli->config);
    if (cli->options.dry_run && !cli->config.database && !g_file_test(directory, G_FILE_TEST_EXISTS)) {
        printf("a private cluster would be made in '%s', with schema dmarc at version %d\n", directory,
               schema_latest());
        return TRUE;
    }
    struct db *db = database_open(&cli->config, TRUE, error);
    gboolean ok = db && upgrade(cli, db, error);
    db_close(db);
    return ok;
}

gboolean cmd_upgrade(struct cli *cli, GError **error)
{
    struct db *db = database_open(&cli->config, FALSE, error);
    int version = db ? schema_version(db, error) : -1;
    if (version == 0)
        g_set_error_literal(error, WS_ERROR, WS_ERROR_DB_SCHEMA,
                            "cannot upgrade an empty database\nhint: \"whosends init\" creates the schema");
    gboolean ok = version > 0 && upgrade(cli, db, error);
    db_close(db);
    return ok;
}
