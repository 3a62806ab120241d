#include "cli/command.h"
#include "cli/csv.h"
#include "cli/database.h"
#include "cli/format.h"
#include "cli/naming.h"
#include "parser/error.h"
#include "reports/render.h"
#include "reports/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MOST_BYTES (16 << 20)

/* In the order of the arguments of dmarc_store.take_own(). */
static const char *const columns[] = {"sender",  "name", "kind",    "advice",
                                      "carrier", "rule", "pattern", "tenant"};
enum { COLUMNS = G_N_ELEMENTS(columns), CARRIER = 4, TENANT = 7 };
static const guint needed[] = {0, 1, 2, 3, 5, 6};

static const char own_sql[] =
    "SELECT coalesce(s.key, r.sender) AS sender, s.name, s.kind, s.advice,"
    " CASE WHEN s.carrier THEN 'true' END AS carrier, r.kind AS rule, r.pattern,"
    " CASE WHEN r.tenant THEN 'true' END AS tenant"
    " FROM (SELECT * FROM dmarc.sender WHERE origin = 'user') s"
    " FULL JOIN (SELECT * FROM dmarc.sender_rule WHERE origin = 'user') r ON r.sender = s.key"
    " ORDER BY 1, 6, 7";

/* A file and where it is being read. */
struct load {
    const char *path;
    struct csv_reader reader;
    guint place[COLUMNS]; /* of each column in a record, from 1; 0: there is none */
};

static gboolean wrong(struct load *load, const char *reason, GError **error)
{
    g_autofree char *quoted = naming_quoted(load->path);
    g_set_error(error, WS_ERROR, WS_ERROR_DATA, "cannot take line %u of %s: %s", load->reader.line, quoted,
                reason);
    return FALSE;
}

static char *read_input(const char *path, GError **error)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    g_autoptr(GString) text = g_string_new(NULL);
    char buffer[65536];
    for (gsize n; file && text->len <= MOST_BYTES && (n = fread(buffer, 1, sizeof buffer, file)) > 0;)
        g_string_append_len(text, buffer, (gssize)n);
    int failed = !file || ferror(file) ? errno : 0;
    if (file && file != stdin)
        fclose(file);
    const char *end = NULL, *reason = failed                   ? g_strerror(failed)
                                      : text->len > MOST_BYTES ? "it has more than 16 MiB"
                                      : !g_utf8_validate(text->str, (gssize)text->len, &end)
                                          ? "it is not UTF-8"
                                          : NULL;
    if (!reason)
        return g_string_free(g_steal_pointer(&text), FALSE);
    guint line = 1;
    for (const char *c = text->str; c < end; c++)
        line += *c == '\n';
    g_autofree char *where = end ? g_strdup_printf(", line %u", line) : g_strdup("");
    g_autofree char *quoted = naming_quoted(path);
    g_set_error(error, WS_ERROR, end ? WS_ERROR_DATA : WS_ERROR_INPUT, "could not read %s%s: %s", quoted,
                where, reason);
    return NULL;
}

static gboolean take_header(struct load *load, GError **error)
{
    g_autoptr(GError) broken = NULL;
    g_autoptr(GPtrArray) cells = csv_next(&load->reader, &broken);
    load->reader.line = MAX(load->reader.line, 1);
    for (guint i = 0; cells && i < cells->len; i++) {
        guint c = 0;
        while (c < COLUMNS && strcmp(columns[c], cells->pdata[i]) != 0)
            c++;
        g_autofree char *quoted = naming_quoted(cells->pdata[i]);
        g_autofree char *reason = g_strdup_printf("%s is no column, or stands twice", quoted);
        if (c == COLUMNS || load->place[c])
            return wrong(load, reason, error);
        load->place[c] = i + 1;
    }
    for (guint i = 0; i < G_N_ELEMENTS(needed); i++)
        if (!load->place[needed[i]])
            return wrong(load, "the header of the file is to be sender,name,kind,advice,rule,pattern", error);
    return TRUE;
}

/* Why a record cannot be one; NULL when it can. */
static const char *look_at(const struct load *load, const GPtrArray *cells, const char *const *values)
{
    guint wanted = 0;
    for (guint c = 0; c < COLUMNS; c++)
        wanted = MAX(wanted, load->place[c]);
    if (cells->len != wanted)
        return "it has not as many cells as the header";
    for (guint i = 0; i < cells->len; i++)
        for (const char *c = cells->pdata[i]; *c; c = g_utf8_next_char(c))
            if (text_is_harmful(g_utf8_get_char(c)))
                return "a control or invisible character is in it";
    const char *flags[] = {values[CARRIER], values[TENANT]};
    for (guint i = 0; i < G_N_ELEMENTS(flags); i++)
        if (flags[i] && strcmp(flags[i], "true") != 0 && strcmp(flags[i], "false") != 0)
            return "carrier and tenant are true, false or empty";
    return NULL;
}

static gboolean take_record(struct load *load, struct db *db, const GPtrArray *cells, GError **error)
{
    static const char sql[] = "SELECT dmarc_store.take_own($1, $2, $3, $4, $5::boolean, $6, $7, $8::boolean)";
    const char *values[COLUMNS] = {NULL};
    for (guint c = 0; c < COLUMNS; c++) {
        const char *cell =
            load->place[c] && load->place[c] <= cells->len ? cells->pdata[load->place[c] - 1] : "";
        values[c] = *cell ? cell : NULL;
    }
    const char *reason = look_at(load, cells, values);
    if (reason)
        return wrong(load, reason, error);
    struct db_result *taken = db_query(db, "taking a sender", sql, COLUMNS, values, error);
    gboolean ok = taken && (!db_value(taken, 0, 0) || wrong(load, db_value(taken, 0, 0), error));
    db_result_free(taken);
    return ok;
}

static gboolean take_records(struct load *load, struct db *db, GError **error)
{
    if (!take_header(load, error))
        return FALSE;
    for (;;) {
        g_autoptr(GError) broken = NULL;
        g_autoptr(GPtrArray) cells = csv_next(&load->reader, &broken);
        if (broken)
            return wrong(load, broken->message, error);
        if (!cells)
            return TRUE;
        if (!take_record(load, db, cells, error))
            return FALSE;
    }
}

/* No rule may be left without its sender. */
static gboolean none_lost(struct db *db, GError **error)
{
    struct db_result *lost =
        db_query(db, "looking for lost senders", "SELECT dmarc_store.lost_sender()", 0, NULL, error);
    const char *key = lost ? db_value(lost, 0, 0) : NULL;
    if (key) {
        g_autofree char *quoted = naming_quoted(key);
        g_set_error(error, WS_ERROR, WS_ERROR_DATA,
                    "rules of the program's catalogue are of a sender %s, whose row is your own\nhint: it "
                    "has to stay in the "
                    "file",
                    quoted);
    }
    db_result_free(lost);
    return lost && !key;
}

/* Each row as one string. */
static GHashTable *own_rows(struct db *db, GError **error)
{
    struct db_result *own = db_query(db, "reading your own senders", own_sql, 0, NULL, error);
    if (!own)
        return NULL;
    GHashTable *rows = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < db_rows(own); i++) {
        GString *row = g_string_new(NULL);
        for (guint c = 0; c < COLUMNS; c++)
            g_string_append_printf(row, "%s\x1f", db_value(own, i, c) ? db_value(own, i, c) : "");
        g_hash_table_add(rows, g_string_free(row, FALSE));
    }
    db_result_free(own);
    return rows;
}

static guint missing(GHashTable *rows, GHashTable *others)
{
    guint n = 0;
    GHashTableIter iter;
    gpointer row;
    g_hash_table_iter_init(&iter, rows);
    while (g_hash_table_iter_next(&iter, &row, NULL))
        n += !g_hash_table_contains(others, row);
    return n;
}

/* In the transaction of the caller. What to say of it, owned by him; NULL with an error. */
static char *replace(struct load *load, struct db *db, gboolean dry, GError **error)
{
    GHashTable *before = own_rows(db, error), *after = NULL;
    struct db_result *judged = NULL;
    char *said = NULL;
    if (before && db_run(db, "taking your own senders away", "SELECT dmarc_store.forget_own()", error) &&
        take_records(load, db, error) && none_lost(db, error) && (after = own_rows(db, error)))
        judged = db_query(db, "judging again", "SELECT dmarc_store.reclassify()", 0, NULL, error);
    if (judged) {
        gint64 changed = db_int(judged, 0, 0);
        guint rows = g_hash_table_size(after);
        said = g_strdup_printf(
            "%u row%s of your own: %u new, %u gone; %" G_GINT64_FORMAT " kind%s of mail %s class or name%s\n",
            rows, PLURAL(rows), missing(after, before), missing(before, after), changed, PLURAL(changed),
            dry ? "would change" : "changed", dry ? "; all of it was taken back" : "");
    }
    db_result_free(judged);
    g_clear_pointer(&before, g_hash_table_unref);
    g_clear_pointer(&after, g_hash_table_unref);
    return said;
}

static gboolean load(struct db *db, const char *path, gboolean dry, GError **error)
{
    struct load load = {.path = path};
    g_autofree char *text = read_input(path, error);
    if (!text)
        return FALSE;
    csv_begin(&load.reader, text);
    g_autofree char *said = db_run(db, "beginning", "BEGIN", error) ? replace(&load, db, dry, error) : NULL;
    gboolean ok = said && db_run(db, "taking your own senders", dry ? "ROLLBACK" : "COMMIT", error);
    if (ok)
        puts(said);
    return ok;
}

static gboolean print(struct db *db, GError **error)
{
    struct render_column shown[COLUMNS] = {{.name = NULL}};
    const struct render_style style = {.width = 0};
    struct db_result *own = db_query(db, "reading your own senders", own_sql, 0, NULL, error);
    if (!own)
        return FALSE;
    for (guint c = 0; c < COLUMNS; c++)
        shown[c] = (struct render_column){.name = columns[c], .kind = COLUMN_TEXT};
    gpointer state = render_csv.begin(stdout, shown, COLUMNS, &style);
    for (guint i = 0; i < db_rows(own); i++) {
        const char *values[COLUMNS];
        for (guint c = 0; c < COLUMNS; c++)
            values[c] = db_value(own, i, c);
        render_csv.row(state, values);
    }
    render_csv.end(state, TRUE);
    db_result_free(own);
    return TRUE;
}

gboolean cmd_catalogue(struct cli *cli, GError **error)
{
    const char *path = cli->arguments[0];
    if (!path && cli->options.dry_run) {
        g_set_error_literal(error, WS_ERROR, WS_ERROR_USAGE, "no file is named that could be tried");
        return FALSE;
    }
    struct db *db = database_ready(&cli->config, error);
    gboolean ok = db && (path ? load(db, path, cli->options.dry_run, error) : print(db, error));
    db_close(db);
    return ok;
}
