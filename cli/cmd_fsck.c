#include "cli/command.h"
#include "cli/database.h"
#include "cli/format.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "db/upkeep.h"
#include "parser/error.h"
#include "reports/render.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* What one repair brings about may show in another check only then. */
#define MOST_REPAIRS 3

/* A check, over all of its parts. */
struct line {
    char *check, *example;
    gint64 looked_at, wrong;
};

/* What one part of a check found wrong and can be mended. */
struct damage {
    char *repair, *part;
};

struct proof {
    GArray *lines, *damages;
    gint64 wrong;
};

static void line_clear(gpointer data)
{
    struct line *line = data;
    g_free(line->check);
    g_free(line->example);
}

static void damage_clear(gpointer data)
{
    struct damage *damage = data;
    g_free(damage->repair);
    g_free(damage->part);
}

static void proof_init(struct proof *proof)
{
    *proof = (struct proof){.lines = g_array_new(FALSE, FALSE, sizeof(struct line)),
                            .damages = g_array_new(FALSE, FALSE, sizeof(struct damage))};
    g_array_set_clear_func(proof->lines, line_clear);
    g_array_set_clear_func(proof->damages, damage_clear);
}

static void proof_clear(struct proof *proof)
{
    g_array_unref(proof->lines);
    g_array_unref(proof->damages);
}

static void add_damage(struct proof *proof, const char *repair, const char *part)
{
    for (guint i = 0; i < proof->damages->len; i++) {
        const struct damage *known = &g_array_index(proof->damages, struct damage, i);
        if (strcmp(known->repair, repair) == 0 && g_strcmp0(known->part, part) == 0)
            return;
    }
    const struct damage damage = {g_strdup(repair), g_strdup(part)};
    g_array_append_val(proof->damages, damage);
}

static struct line *line_of(struct proof *proof, const char *check)
{
    guint n = proof->lines->len;
    if (!n || strcmp(g_array_index(proof->lines, struct line, n - 1).check, check) != 0) {
        const struct line line = {.check = g_strdup(check)};
        g_array_append_val(proof->lines, line);
        n++;
    }
    return &g_array_index(proof->lines, struct line, n - 1);
}

enum { PART_CHECK, PART_PART, PART_REPAIR };

static struct db_result *look_once(struct db *db, const char *const *part, GError **error)
{
    return db_query(db, part[PART_CHECK], "SELECT looked_at, wrong, example FROM dmarc_store.look($1, $2)", 2,
                    part, error);
}

/* A partition that is taken away or made goes from under a statement that began before. So what is found
 * wrong, or not at all, is looked at once more, while nobody may do that. */
static struct db_result *look_twice(struct db *db, const char *const *part, GError **error)
{
    GError *reason = NULL;
    struct db_result *found = look_once(db, part, &reason);
    if (found && !db_int(found, 0, 1))
        return found;
    if (!found && strcmp(db_sqlstate(db), "42P01") != 0) {
        g_propagate_error(error, reason);
        return NULL;
    }
    g_clear_error(&reason);
    db_result_free(found);
    if (!db_run(db, "looking again", "BEGIN; SELECT dmarc_store.share()", error))
        return NULL;
    found = look_once(db, part, error);
    if (found)
        db_run(db, "having looked again", "COMMIT", NULL);
    return found;
}

static gboolean look(struct proof *proof, struct db *db, const struct db_result *parts, guint row,
                     GError **error)
{
    const char *values[] = {
        [PART_CHECK] = db_value(parts, row, PART_CHECK), [PART_PART] = db_value(parts, row, PART_PART)};
    const char *repair = db_value(parts, row, PART_REPAIR);
    struct db_result *found = look_twice(db, values, error);
    if (!found)
        return FALSE;
    struct line *line = line_of(proof, values[0]);
    line->looked_at += db_int(found, 0, 0);
    line->wrong += db_int(found, 0, 1);
    proof->wrong += db_int(found, 0, 1);
    if (!line->example)
        line->example = g_strdup(db_value(found, 0, 2));
    if (db_int(found, 0, 1) && repair)
        add_damage(proof, repair, values[1]);
    db_result_free(found);
    return TRUE;
}

/* Each statement sees one state of the rows; together they need no more. */
static gboolean prove(struct proof *proof, struct db *db, gboolean quiet, GError **error)
{
    struct db_result *parts =
        db_query(db, "listing checks", "SELECT check_name, part, repair FROM dmarc_store.check_parts()", 0,
                 NULL, error);
    gboolean ok = parts != NULL;
    progress_begin(!quiet, "parts of checks");
    for (guint i = 0; ok && i < db_rows(parts); i++) {
        ok = look(proof, db, parts, i, error);
        progress_update(i + 1, db_rows(parts) - i - 1, NULL);
    }
    progress_hide();
    db_result_free(parts);
    return ok;
}

static gboolean mend(const struct proof *proof, struct db *db, gboolean quiet, GError **error)
{
    gint64 reports;
    progress_begin(!quiet, "repairs");
    for (guint i = 0; i < proof->damages->len; i++) {
        const struct damage *damage = &g_array_index(proof->damages, struct damage, i);
        const char *values[] = {damage->repair, damage->part};
        struct db_result *done =
            db_query(db, "repairing", "SELECT dmarc_store.repair($1, $2)", 2, values, error);
        if (!done)
            return FALSE;
        db_result_free(done);
        progress_update(i + 1, proof->damages->len - i - 1, NULL);
    }
    progress_begin(!quiet, "reports folded");
    gboolean ok = upkeep_fold(db, progress_update, &reports, error);
    progress_hide();
    return ok;
}

static gboolean show(const struct cli *cli, const struct proof *proof, enum report_format format,
                     GError **error)
{
    static const struct render_column columns[] = {{.name = "check", .kind = COLUMN_TEXT},
                                                   {.name = "looked_at", .kind = COLUMN_NUMBER},
                                                   {.name = "wrong", .kind = COLUMN_NUMBER},
                                                   {.name = "example", .kind = COLUMN_TEXT}};
    const struct renderer *renderer = report_renderer(format);
    const struct render_style style = {.color = !cli->options.no_color && terminal_color(STDOUT_FILENO),
                                       .width = terminal_width(STDOUT_FILENO)};
    terminal_locale();
    gpointer state = renderer->begin(stdout, columns, G_N_ELEMENTS(columns), &style);
    for (guint i = 0; i < proof->lines->len; i++) {
        const struct line *line = &g_array_index(proof->lines, struct line, i);
        char looked_at[24], wrong[24];
        g_snprintf(looked_at, sizeof looked_at, "%" G_GINT64_FORMAT, line->looked_at);
        g_snprintf(wrong, sizeof wrong, "%" G_GINT64_FORMAT, line->wrong);
        const char *values[] = {line->check, looked_at, wrong, line->example};
        renderer->row(state, values);
    }
    renderer->end(state, TRUE);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return TRUE;
    g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not write the report: %s", g_strerror(errno));
    return FALSE;
}

static gboolean prove_and_mend(const struct cli *cli, struct db *db, struct proof *proof, GError **error)
{
    gboolean quiet = cli->options.quiet, ok = prove(proof, db, quiet, error);
    for (guint i = 0; ok && i < MOST_REPAIRS && cli->options.repair && proof->damages->len; i++) {
        ok = mend(proof, db, quiet, error);
        proof_clear(proof);
        proof_init(proof);
        ok = ok && prove(proof, db, quiet, error);
    }
    return ok;
}

gboolean cmd_fsck(struct cli *cli, GError **error)
{
    enum report_format format;
    struct proof proof;
    if (!format_take(&cli->options, &format, error))
        return FALSE;
    proof_init(&proof);
    struct db *db = database_ready(&cli->config, error);
    gboolean ok = db && prove_and_mend(cli, db, &proof, error) &&
                  ((cli->options.quiet && !proof.wrong) || show(cli, &proof, format, error));
    if (ok && proof.wrong)
        cli->status = EX_DATAERR;
    proof_clear(&proof);
    db_close(db);
    return ok;
}
