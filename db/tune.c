#include "db/tune.h"

#include <string.h>
#include <unistd.h>

#define KB G_GUINT64_CONSTANT(1024)
#define MB (1024 * KB)
#define GB (1024 * MB)
#define SECOND 1000.0
#define MINUTE (60 * SECOND)

enum how {
    AT_LEAST,
    AT_MOST,
    NOT_OFF, /* a switch that has other words for on */
    OFF,
};

struct rule {
    const char *name;
    enum how how;
    /* Bytes, milliseconds or a plain number; of memory: the share, 1 / so much, but at most `most` bytes. */
    double number, most;
    guint share;
    const char *word; /* for postgresql.conf, unless it comes from a share */
    const char *why;
};

static const struct rule rules[] = {
    {"shared_buffers", AT_LEAST, .share = 4, .most = 16.0 * (double)GB,
     .why = "a quarter of the memory: the months that are written and read stay there"},
    {"effective_cache_size", AT_LEAST, .share = 2, .most = 1e15,
     .why = "what of the tables is in memory somewhere: an index is worth its while then"},
    {"maintenance_work_mem", AT_LEAST, .share = 16, .most = (double)GB,
     .why = "for vacuum, and indexes that an upgrade makes"},
    {"work_mem", AT_LEAST, .number = 16.0 * (double)MB, .word = "16MB",
     .why = "for sorting and hashing in queries of one's own; the reports take what they need"},
    {"max_wal_size", AT_LEAST, .number = 4.0 * (double)GB, .word = "4GB",
     .why = "reading years of mail writes much; a checkpoint in between writes it twice"},
    {"checkpoint_timeout", AT_LEAST, .number = 15 * MINUTE, .word = "15min",
     .why = "as max_wal_size, which is what should decide"},
    {"wal_compression", NOT_OFF, .word = "on",
     .why = "half of the log after each checkpoint, for little CPU"},
    {"random_page_cost", AT_MOST, .number = 1.1, .word = "1.1",
     .why = "on an SSD; leave it where the tables are on disks that turn"},
    {"effective_io_concurrency", AT_LEAST, .number = 16, .word = "200",
     .why = "on an SSD: pages are asked for ahead"},
    {"autovacuum", NOT_OFF, .word = "on", .why = "without it the planner does not know what months hold"},
    {"autovacuum_vacuum_insert_scale_factor", AT_MOST, .number = 0.05, .word = "0.05",
     .why = "records are only ever added: their pages are marked as visible, and frozen, while the month is "
            "new"},
    {"autovacuum_analyze_scale_factor", AT_MOST, .number = 0.02, .word = "0.02",
     .why = "a month grows all the time, and its last days are asked for most"},
    {"max_parallel_workers_per_gather", AT_LEAST, .number = 2, .word = "2",
     .why = "so many processes help with a report over all domains; as many as there are cores, six at most"},
    {"jit", OFF, .word = "off", .why = "queries take milliseconds, compiling them takes longer"},
    {"max_locks_per_transaction", AT_LEAST, .number = 256, .word = "256",
     .why = "a query over all time locks each month's tables and indexes, about 170 a year; so do dump and "
            "upgrade"},
    {"client_connection_check_interval", AT_LEAST, .number = 1, .word = "10s",
     .why = "a long query ends when who asked is gone"},
    {"synchronous_commit", NOT_OFF, .word = "on",
     .why = "a mail is moved once it is committed: what a crash takes back then is nowhere. It costs little, "
            "as batches are large"},
    {"fsync", NOT_OFF, .word = "on", .why = "without it a crash spoils what was committed"},
    {"full_page_writes", NOT_OFF, .word = "on",
     .why = "without it half a written page spoils a table; only some file systems never leave one"},
};

/* Of this machine, or of the container. */
static guint64 memory_here(void)
{
    g_autofree char *limit = NULL;
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    guint64 memory = pages > 0 && size > 0 ? (guint64)pages * (guint64)size : 0;
    if (g_file_get_contents("/sys/fs/cgroup/memory.max", &limit, NULL, NULL) && g_ascii_isdigit(limit[0]))
        memory = MIN(memory, g_ascii_strtoull(limit, NULL, 10));
    return memory;
}

static gboolean look_at_server(struct db *db, struct tune_server *server, GError **error)
{
    static const char sql[] = "SELECT current_setting('server_version'),"
                              " inet_server_addr() IS NULL OR inet_server_addr() = inet_client_addr()";
    struct db_result *result = db_query(db, "looking at the server", sql, 0, NULL, error);
    if (!result)
        return FALSE;
    g_strlcpy(server->version, db_value(result, 0, 0), sizeof server->version);
    server->memory = *db_value(result, 0, 1) == 't' ? memory_here() : 0;
    db_result_free(result);
    return TRUE;
}

/* In bytes or milliseconds where there is a unit. */
static double number_of(const char *setting, const char *unit)
{
    static const struct {
        const char *name;
        double factor;
    } units[] = {{"B", 1},           {"kB", 1024},  {"8kB", 8192}, {"16kB", 16384}, {"MB", 1048576},
                 {"16MB", 16777216}, {"us", 0.001}, {"ms", 1},     {"s", SECOND},   {"min", MINUTE}};
    double value = g_ascii_strtod(setting, NULL);
    for (guint i = 0; unit && i < G_N_ELEMENTS(units); i++)
        if (strcmp(unit, units[i].name) == 0)
            return value * units[i].factor;
    return value;
}

/* Rounded down, so that it can be read. Owned by the caller. */
static char *size_text(double bytes)
{
    guint64 size = (guint64)bytes;
    if (size >= 4 * GB || size % GB == 0)
        return g_strdup_printf("%" G_GUINT64_FORMAT "GB", size / GB);
    return g_strdup_printf("%" G_GUINT64_FORMAT "MB", MAX(size / MB / 16 * 16, 16));
}

static gboolean is_fine(const struct rule *rule, const char *setting, const char *unit, double wanted)
{
    double is = number_of(setting, unit);
    switch (rule->how) {
    case AT_LEAST:
        /* Nearly so much will do. */
        return is >= wanted * (rule->share ? 0.7 : 1);
    case AT_MOST:
        return is <= wanted * 1.0001;
    case NOT_OFF:
        return strcmp(setting, "off") != 0;
    default:
        return strcmp(setting, "off") == 0;
    }
}

enum { SETTING, UNIT, SHOWN, RESTART };

gboolean tune_look(struct db *db, struct tune_server *server_r,
                   void (*told)(const struct tune_advice *advice, gpointer data), gpointer data,
                   GError **error)
{
    /* Without what this session has set for itself. */
    static const char sql[] =
        "SELECT reset_val, unit, CASE WHEN setting = reset_val THEN current_setting(name)"
        " ELSE concat(reset_val, unit) END, context = 'postmaster'"
        " FROM pg_catalog.pg_settings WHERE name = $1";
    if (!look_at_server(db, server_r, error))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(rules); i++) {
        const struct rule *rule = &rules[i];
        struct db_result *now = db_query(db, "reading a setting", sql, 1, &rule->name, error);
        if (!now)
            return FALSE;
        double wanted = rule->share ? MIN((double)server_r->memory / rule->share, rule->most) : rule->number;
        g_autofree char *size = rule->share && server_r->memory ? size_text(wanted) : NULL;
        if (db_rows(now)) {
            const struct tune_advice advice = {
                .name = rule->name,
                .is = db_value(now, 0, SHOWN),
                .wanted = rule->share ? size : rule->word,
                .why = rule->why,
                .fine = (!rule->share || server_r->memory) &&
                        is_fine(rule, db_value(now, 0, SETTING), db_value(now, 0, UNIT), wanted),
                .restart = *db_value(now, 0, RESTART) == 't'};
            told(&advice, data);
        }
        db_result_free(now);
    }
    return TRUE;
}
