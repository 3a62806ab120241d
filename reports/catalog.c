#include "reports/catalog.h"

#include "reports/text.h"

#include <errno.h>
#include <string.h>

/* Texts of the advice column that are shown below a table; more than that nobody reads. */
#define MOST_ADVICE 20
/* What the name of a domain keeps of a line before other columns are left out. */
#define DOMAIN_EASE 24

const struct report_row report_catalog[] = {
    {.name = "summary",
     .function = "dmarc.summary",
     .summary = "how much mail each domain sends, and how much of it may",
     .wants_domain = TRUE,
     .trusting = TRUE,
     .table = "domain messages trend pass_share authorised misconfigured forwarded unknown policy sources "
              "reporters reports last_seen",
     .narrow = "reporters sources trend last_seen policy reports forwarded authorised",
     .empty = "no reports"},
    {.name = "senders",
     .function = "dmarc.senders",
     .classed = TRUE,
     .summary = "who sends as a domain, and may they",
     .wants_domain = TRUE,
     .trusting = TRUE,
     .table = "domain sender class approved messages trend share dkim_aligned spf_aligned sources hosts "
              "last_seen evidence",
     .sparse = "approved hosts",
     .whole = "sender evidence",
     .ease = "sender=30 evidence=24",
     .advice = "advice",
     .narrow = "sources trend evidence hosts approved last_seen share | spf_aligned dkim_aligned",
     .empty = "no mail in the reports",
     .choosy = TRUE},
    {.name = "senders",
     .option = "new",
     .function = "dmarc.senders_new",
     .classed = TRUE,
     .summary = "who sends as a domain that did not before",
     .wants_domain = TRUE,
     .trusting = TRUE,
     .table = "domain sender class approved messages trend share dkim_aligned spf_aligned sources hosts "
              "last_seen evidence",
     .sparse = "approved hosts",
     .whole = "sender evidence",
     .ease = "sender=30 evidence=24",
     .advice = "advice",
     .narrow = "sources trend evidence hosts approved last_seen share | spf_aligned dkim_aligned",
     .empty = "no new senders",
     .choosy = TRUE},
    {.name = "sources",
     .function = "dmarc.sources",
     .classed = TRUE,
     .summary = "the addresses that send as a domain, and who is behind them",
     .wants_domain = TRUE,
     .trusting = TRUE,
     .table = "domain source_ip sender class messages share dkim_aligned spf_aligned last_seen "
              "reverse_name",
     .sparse = "reverse_name",
     .whole = "sender reverse_name",
     .ease = "sender=30 reverse_name=24",
     .narrow = "reverse_name share last_seen spf_aligned dkim_aligned",
     .empty = "no mail in the reports",
     .choosy = TRUE},
    {.name = "sources",
     .option = "net",
     .function = "dmarc.networks",
     .classed = TRUE,
     .summary = "the networks that send as a domain, of 256 addresses or a /48",
     .wants_domain = TRUE,
     .trusting = TRUE,
     .table = "domain network sender class messages share sources dkim_aligned spf_aligned last_seen",
     .whole = "sender",
     .ease = "sender=30",
     .narrow = "share last_seen spf_aligned dkim_aligned sources",
     .empty = "no mail in the reports",
     .choosy = TRUE},
    {.name = "failures",
     .function = "dmarc.failures",
     .classed = TRUE,
     .summary = "mail that does not pass DMARC, and why",
     .wants_domain = TRUE,
     .trusting = TRUE,
     .table = "domain sender class messages dkim spf disposition overrides last_seen",
     .sparse = "overrides",
     .whole = "sender dkim spf",
     .ease = "sender=20 dkim=20 spf=20",
     .advice = "advice",
     .narrow = "overrides last_seen disposition class spf",
     .empty = "no mail that fails DMARC",
     .choosy = TRUE},
    {.name = "failures",
     .option = "samples",
     .function = "dmarc.failure_samples",
     .summary = "the failure reports one by one",
     .wants_domain = TRUE,
     .table = "domain arrived reporter source_ip header_from auth_failures alignment_failed "
              "delivery_result dkim_domain dkim_selector subject",
     .sparse = "subject",
     .whole = "subject",
     .narrow = "subject dkim_selector header_from dkim_domain reporter alignment_failed",
     .empty = "no failure reports"},
    {.name = "timeline",
     .function = "dmarc.timeline",
     .summary = "day by day: messages, how many pass, and the classes",
     .wants_domain = TRUE,
     .trusting = TRUE,
     .table = "domain day messages pass_share authorised misconfigured forwarded unknown reports",
     .sparse = "domain",
     .narrow = "reports forwarded misconfigured unknown authorised",
     .empty = "no reports"},
    {.name = "reporters",
     .function = "dmarc.reporters",
     .summary = "who reports about a domain, and how reliably",
     .wants_domain = TRUE,
     .trusting = TRUE,
     .table = "domain reporter reports records messages dkim_aligned spf_aligned disagree incomplete "
              "last_seen warnings",
     .sparse = "warnings",
     .whole = "reporter warnings",
     .narrow = "warnings records incomplete last_seen disagree | spf_aligned dkim_aligned",
     .empty = "no reports"},
    {.name = "reporters",
     .option = "disagree",
     .function = "dmarc.disagreements",
     .summary = "whose verdicts differ from their own results",
     .wants_domain = TRUE,
     .trusting = TRUE,
     .table = "domain reporter records messages share last_seen example",
     .whole = "reporter example",
     .ease = "reporter=24 example=24",
     .narrow = "last_seen records",
     .empty = "no reporter that disagrees with its own results",
     .choosy = TRUE},
    {.name = "policy",
     .function = "dmarc.policies",
     .summary = "the policy that reporters found published, and when it changed",
     .wants_domain = TRUE,
     .trusting = TRUE,
     .table =
         "domain first_seen last_seen p sp np adkim aspf pct testing reports reporters differing messages",
     .narrow = "messages differing testing pct reports reporters aspf adkim np",
     .empty = "no reports"},
    {.name = "overrides",
     .function = "dmarc.overrides",
     .summary = "the reasons that reporters gave for another outcome than the policy's",
     .wants_domain = TRUE,
     .trusting = TRUE,
     .table = "domain type disposition messages share reporters sources example_comment last_seen",
     .sparse = "example_comment",
     .whole = "example_comment",
     .narrow = "last_seen sources example_comment reporters",
     .empty = "no overrides",
     .choosy = TRUE},
    {.name = "coverage",
     .function = "dmarc.coverage",
     .summary = "which usual reporters are silent, and which days are missing",
     .wants_domain = TRUE,
     .trusting = TRUE,
     .table = "domain reporter usual_per_week last_seen silent_days missing messages_share note",
     .whole = "reporter note",
     .narrow = "usual_per_week missing last_seen",
     .empty = "no reports"},
    {.name = "changes",
     .function = "dmarc.changes",
     .summary = "what is different from the period before: senders, alignment, volume, policy",
     .wants_domain = TRUE,
     .trusting = TRUE,
     .table = "domain what sender class before after factor note",
     .whole = "sender note",
     .ease = "sender=22 note=22",
     .narrow = "factor class",
     .empty = "no changes",
     .choosy = TRUE},
    {.name = "subdomains",
     .function = "dmarc.subdomains",
     .summary = "the names in From: that the policy covers, and which policy applies",
     .wants_domain = TRUE,
     .trusting = TRUE,
     .table =
         "domain header_from messages share pass_share authorised misconfigured forwarded unknown senders "
         "sources policy last_seen",
     .whole = "header_from policy",
     .ease = "header_from=24",
     .narrow = "sources senders last_seen share forwarded authorised misconfigured",
     .empty = "no mail in the reports",
     .choosy = TRUE},
    {.name = "verdict",
     .function = "dmarc.verdict",
     .classed = TRUE,
     .summary = "what a stricter policy would do, to whose mail, and whether it is time for it",
     .wants_domain = TRUE,
     .trusting = TRUE,
     .table = "domain sender class approved kind messages passing lost_quarantine lost_reject lost_strict "
              "subdomain last_seen",
     .sparse = "approved",
     .whole = "sender",
     .ease = "sender=30",
     .advice = "advice",
     .narrow = "last_seen subdomain approved lost_quarantine class lost_strict passing",
     .empty = "no mail in the reports",
     .choosy = TRUE},
    {.name = "verdict",
     .option = "line",
     .function = "dmarc.verdict_line",
     .summary = "one line for each domain",
     .wants_domain = TRUE,
     .trusting = TRUE,
     .table = "domain ready now next lost lost_share stopped forwarded days reports sentence",
     .whole = "sentence",
     .ease = "sentence=50",
     .least = 40,
     .narrow = "reports days forwarded lost now lost_share stopped next",
     .empty = "no reports"},
    {.name = "approvals",
     .function = "dmarc.approvals",
     .summary = "what was said of senders by approve and disown",
     .wants_domain = TRUE,
     .trusting = TRUE,
     .table = "domain sender name approved note decided_at decided_by messages last_seen",
     .sparse = "note",
     .whole = "sender name note",
     .narrow = "decided_by last_seen decided_at sender",
     .empty = "no sender was approved or disowned"},
    {.name = "group",
     .function = "dmarc.groups",
     .summary = "domains that are looked at together",
     .ledger = TRUE,
     .coded = TRUE,
     .table = "name domain reports last_seen",
     .empty = "no groups"},
    {.name = "tls",
     .function = "dmarc.tls",
     .summary = "whether those who send to a domain find TLS as its policy wants it",
     .wants_domain = TRUE,
     .table = "domain policy_type reporters successful failed failed_share result_types first_seen last_seen",
     .whole = "result_types",
     .narrow = "first_seen reporters last_seen result_types",
     .empty = "no TLS reports"},
    {.name = "status",
     .function = "dmarc.status",
     .summary = "the ledger: what came in, and what became of it",
     .ledger = TRUE,
     .single = TRUE,
     .empty = "nothing"},
    {.name = "problems",
     .function = "dmarc.problems",
     .summary = "mails and documents that could not be stored, by reason",
     .ledger = TRUE,
     .table = "code what problems first_seen last_seen message detail",
     .whole = "detail",
     .narrow = "what first_seen last_seen detail",
     .empty = "no problems"},
    {.name = "problems",
     .option = "list",
     .function = "dmarc.problem_list",
     .summary = "problems one by one",
     .ledger = TRUE,
     .coded = TRUE,
     .table = "code message ingested_at detail path source original",
     .whole = "detail path source",
     .narrow = "original source path ingested_at detail",
     .empty = "no problems"},
    {.name = "problems",
     .option = "untrusted",
     .function = "dmarc.untrusted",
     .summary = "reports that nobody vouches for",
     .ledger = TRUE,
     .table = "code domain reporter report_id day messages auth_result auth_domain mail_from message",
     .narrow = "auth_result report_id auth_domain mail_from",
     .empty = "no report is flagged"},
    {.name = "grants",
     .function = "dmarc.grants",
     .ledger = TRUE,
     .summary = "which roles may read about which domains",
     .table = "role domain domain_group granted_at there",
     .narrow = "granted_at",
     .empty = "no role is granted a domain"},
    {.name = NULL},
};

const struct report_row *report_find(const char *name, const char *option)
{
    for (const struct report_row *row = report_catalog; row->name; row++)
        if (strcmp(row->name, name) == 0 && g_strcmp0(row->option, option) == 0)
            return row;
    return NULL;
}

/* By enum report_format. */
static const struct renderer *const renderers[] = {&render_table, &render_csv, &render_json};

gboolean report_format_parse(const char *word, enum report_format *format_r)
{
    for (guint i = 0; i < G_N_ELEMENTS(renderers); i++) {
        if (strcmp(renderers[i]->name, word) == 0) {
            *format_r = (enum report_format)i;
            return TRUE;
        }
    }
    return FALSE;
}

const struct renderer *report_renderer(enum report_format format)
{
    return renderers[format];
}

/* A report on its way from the database to a renderer. */
struct run {
    const struct report_request *request;
    FILE *out;
    struct render_style style;
    const struct renderer *renderer;
    gpointer state;      /* of the renderer, once the columns are known */
    GArray *shown;       /* guint: columns of the result that are rendered */
    int advice, about;   /* columns of the result, or -1 */
    GHashTable *advised; /* "sender: advice", the same strings as in `advices` */
    GPtrArray *advices;  /* in the order of the rows */
    guint64 rows;
};

enum column_kind report_column_kind(const char *name, guint type)
{
    enum {
        BOOL = 16,
        INT8 = 20,
        INT2 = 21,
        INT4 = 23,
        CIDR = 650,
        INET = 869,
        TEXT_ARRAY = 1009,
        DATE = 1082,
        TIMESTAMP = 1114,
        DATE_ARRAY = 1182,
        TIMESTAMPTZ = 1184,
        NUMERIC_ARRAY = 1231,
        NUMERIC = 1700
    };
    switch (type) {
    case BOOL:
        return COLUMN_BOOL;
    case INT2:
    case INT4:
    case INT8:
        return g_str_has_suffix(name, "_size") ? COLUMN_SIZE : COLUMN_NUMBER;
    case NUMERIC:
        return strcmp(name, "share") == 0 || g_str_has_suffix(name, "_share") ? COLUMN_SHARE
               : strcmp(name, "before") == 0 || strcmp(name, "after") == 0    ? COLUMN_NUMBER_OR_SHARE
                                                                              : COLUMN_NUMBER;
    case DATE:
    case TIMESTAMP:
    case TIMESTAMPTZ:
        return COLUMN_TIME;
    case TEXT_ARRAY:
    case DATE_ARRAY:
        return COLUMN_LIST;
    case NUMERIC_ARRAY:
        return COLUMN_TREND;
    case CIDR:
    case INET:
        return COLUMN_ADDRESS;
    default:
        return COLUMN_TEXT;
    }
}

static int find_column(const struct db_result *result, const char *name)
{
    for (guint i = 0; name && i < db_columns(result); i++)
        if (strcmp(db_column_name(result, i), name) == 0)
            return (int)i;
    return -1;
}

/* Which columns are rendered. A table of one domain does not repeat it. */
static void choose_columns(struct run *run, const struct db_result *result)
{
    const struct report_row *row = run->request->row;
    gboolean table = run->request->format == FORMAT_TABLE;
    g_auto(GStrv) wanted = table && row->table ? g_strsplit(row->table, " ", -1) : NULL;
    for (guint i = 0; wanted && wanted[i]; i++) {
        int at = find_column(result, wanted[i]);
        if (at >= 0 && !(run->request->domain && strcmp(wanted[i], "domain") == 0))
            g_array_append_val(run->shown, at);
    }
    for (guint i = 0; !wanted && i < db_columns(result); i++)
        g_array_append_val(run->shown, i);
    run->advice = table ? find_column(result, row->advice) : -1;
    run->about = find_column(result, "sender");
}

/* The place of a word among words with spaces between them, from 1; 0 when it is none of them. */
static guint place_of(const char *words, const char *word)
{
    g_auto(GStrv) list = words ? g_strsplit(words, " ", -1) : NULL;
    for (guint i = 0; list && list[i]; i++)
        if (strcmp(list[i], word) == 0)
            return i + 1;
    return 0;
}

/* "NAME=WIDTH" of a column among words of this kind. */
static guint ease_of(const char *words, const char *name)
{
    g_auto(GStrv) list = words ? g_strsplit(words, " ", -1) : NULL;
    gsize length = strlen(name);
    for (guint i = 0; list && list[i]; i++)
        if (strncmp(list[i], name, length) == 0 && list[i][length] == '=')
            return (guint)g_ascii_strtoull(list[i] + length + 1, NULL, 10);
    return strcmp(name, "domain") == 0 ? DOMAIN_EASE : 0;
}

static void begin(struct run *run, const struct db_result *result)
{
    choose_columns(run, result);
    const struct report_row *row = run->request->row;
    guint needed = place_of(row->narrow, "|");
    g_autofree struct render_column *columns = g_new0(struct render_column, run->shown->len);
    for (guint i = 0; i < run->shown->len; i++) {
        guint at = g_array_index(run->shown, guint, i);
        columns[i].name = db_column_name(result, at);
        columns[i].kind = report_column_kind(columns[i].name, db_column_type(result, at));
        columns[i].drop = place_of(row->narrow, columns[i].name);
        columns[i].needed = needed && columns[i].drop > needed;
        columns[i].sparse = place_of(row->sparse, columns[i].name) > 0;
        gboolean told = place_of(row->whole, columns[i].name) > 0;
        columns[i].whole = told || strcmp(columns[i].name, "domain") == 0;
        columns[i].ease = ease_of(row->ease, columns[i].name);
        columns[i].least = told ? row->least : 0;
    }
    run->state = run->renderer->begin(run->out, columns, run->shown->len, &run->style);
}

static void keep_advice(struct run *run, const struct db_result *result)
{
    const char *advice = run->advice < 0 ? NULL : db_value(result, 0, (guint)run->advice);
    const char *about = run->about < 0 ? NULL : db_value(result, 0, (guint)run->about);
    if (!advice || run->advices->len > MOST_ADVICE)
        return;
    g_autofree char *text = g_strdup_printf("%s: %s", about ? about : "", advice);
    if (!g_hash_table_contains(run->advised, text)) {
        g_ptr_array_add(run->advices, text);
        g_hash_table_add(run->advised, g_steal_pointer(&text));
    }
}

static void render_row(struct run *run, const struct db_result *result)
{
    g_autofree const char **values = g_new0(const char *, run->shown->len + 1);
    for (guint i = 0; i < run->shown->len; i++)
        values[i] = db_value(result, 0, g_array_index(run->shown, guint, i));
    run->renderer->row(run->state, values);
    keep_advice(run, result);
    run->rows++;
}

static void write_advice(const struct run *run)
{
    if (run->advices->len)
        fputs("\nWhat to do:\n", run->out);
    for (guint i = 0; i < MIN(run->advices->len, MOST_ADVICE); i++) {
        g_autofree char *safe = render_safe(run->advices->pdata[i]);
        text_paragraph(run->out, safe, run->style.width, 2, 4);
    }
    if (run->advices->len > MOST_ADVICE)
        fputs("  and more: see the column advice of --format csv\n", run->out);
}

/* Whether there are reports of the domain and period, whatever the report makes of them. */
static gboolean any_report(const struct report_request *request, struct db *db, gboolean *any_r,
                           GError **error)
{
    const char *values[] = {request->domain, request->since, request->until, request->trusted ? "t" : "f"};
    struct db_result *result = db_query(
        db, request->row->name,
        "SELECT EXISTS (SELECT FROM dmarc.timeline($1, $2::date, $3::date, $4::boolean))", 4, values, error);
    *any_r = result && strcmp(db_value(result, 0, 0), "t") == 0;
    db_result_free(result);
    return result != NULL;
}

/* Of which days there are reports, when the period has none: ": there are some of ...", or "". */
static gboolean find_others(const struct report_request *request, struct db *db, char **said_r,
                            GError **error)
{
    const char *values[] = {request->domain, request->trusted ? "t" : "f"};
    struct db_result *result = db_query(
        db, request->row->name,
        "SELECT ': there are some of ' || min(first_seen) || CASE WHEN max(last_seen) > min(first_seen)"
        " THEN ' to ' || max(last_seen) ELSE '' END"
        " FROM dmarc.summary($1, NULL, NULL, $2::boolean)",
        2, values, error);
    const char *said = result ? db_value(result, 0, 0) : NULL;
    *said_r = g_strdup(said ? said : "");
    db_result_free(result);
    return result != NULL;
}

static gboolean write_empty(const struct run *run, struct db *db, GError **error)
{
    const struct report_request *request = run->request;
    gboolean any = FALSE, choosy = request->row->choosy || request->class;
    gboolean of_period = request->since || request->until;
    g_autofree char *others = NULL;
    if (choosy && !any_report(request, db, &any, error))
        return FALSE;
    if (of_period && !any && request->row->trusting && !find_others(request, db, &others, error))
        return FALSE;
    g_autofree char *of_class =
        any && request->class ? g_strconcat("nothing of class ", request->class, NULL) : NULL;
    g_autofree char *domain = request->domain ? render_safe(request->domain) : NULL;
    fprintf(run->out, "%s%s%s%s%s\n",
            choosy && !any ? "no reports"
            : of_class     ? of_class
                           : request->row->empty,
            domain ? " for " : "", domain ? domain : "", of_period ? " in this period" : "",
            others ? others : "");
    return TRUE;
}

/* The rows one by one. An empty table is a hint instead. */
static gboolean stream(struct run *run, struct db *db, const char *sql, const char *const *values, guint n,
                       GError **error)
{
    if (!db_stream_begin(db, run->request->row->name, sql, n, values, error))
        return FALSE;
    for (gboolean end = FALSE; !end;) {
        struct db_result *result = db_stream_next(db, &end, error);
        if (!result)
            return FALSE;
        gboolean hint = end && !run->state && run->request->format == FORMAT_TABLE;
        if (!run->state && !hint)
            begin(run, result);
        if (!end)
            render_row(run, result);
        db_result_free(result);
    }
    return TRUE;
}

/* "ORDER BY ..." for a column that the function has; NULL with an error when it has none of that name. */
static char *order_by(struct db *db, const struct report_row *row, const char *call,
                      const char *const *values, guint n, const char *sort, GError **error)
{
    gboolean descending = *sort == '-';
    g_autofree char *sql = g_strdup_printf("SELECT * FROM %s LIMIT 0", call);
    struct db_result *result = db_query(db, row->name, sql, n, values, error);
    if (!result)
        return NULL;
    int at = find_column(result, sort + descending);
    char *clause = NULL;
    if (at >= 0) {
        clause = g_strdup_printf(" ORDER BY \"%s\" %s NULLS LAST", db_column_name(result, (guint)at),
                                 descending ? "DESC" : "ASC");
    } else {
        g_autoptr(GString) names = g_string_new(NULL);
        g_autofree char *safe = render_safe(sort + descending);
        for (guint i = 0; i < db_columns(result); i++)
            g_string_append_printf(names, "%s%s", i ? " " : "", db_column_name(result, i));
        g_set_error(error, WS_ERROR, WS_ERROR_USAGE, "cannot sort %s by '%s'\nhint: its columns are %s",
                    row->name, safe, names->str);
    }
    db_result_free(result);
    return clause;
}

static gboolean query(struct run *run, struct db *db, GError **error)
{
    const struct report_request *request = run->request;
    const struct report_row *row = request->row;
    char limit[24];
    g_snprintf(limit, sizeof limit, "%" G_GINT64_FORMAT, request->limit);
    const char *values[5];
    guint n = 0;
    if (!row->ledger) {
        values[n++] = request->domain;
        values[n++] = request->since;
        values[n++] = request->until;
    }
    if (row->coded)
        values[n++] = request->code;
    const char *arguments = row->coded         ? "($1::text)"
                            : row->ledger      ? "()"
                            : request->trusted ? "($1::text, $2::date, $3::date, true)"
                                               : "($1::text, $2::date, $3::date)";
    g_autofree char *call = g_strconcat(row->function, arguments, NULL);
    g_autofree char *order =
        request->sort ? order_by(db, row, call, values, n, request->sort, error) : g_strdup("");
    if (!order)
        return FALSE;
    g_autofree char *only = NULL;
    if (request->class) {
        values[n++] = request->class;
        only = g_strdup_printf(" WHERE class = $%u", n);
    }
    g_autoptr(GString) sql = g_string_new("SELECT * FROM ");
    g_string_append_printf(sql, "%s%s%s", call, only ? only : "", order);
    if (request->limit > 0) {
        values[n++] = limit;
        g_string_append_printf(sql, " LIMIT $%u::bigint", n);
    }
    return stream(run, db, sql->str, values, n, error);
}

gboolean report_run(struct db *db, const struct report_request *request, FILE *out, GError **error)
{
    struct run run = {
        .request = request,
        .out = out,
        .style = {.color = request->color, .width = request->width, .list = request->row->single},
        .renderer = renderers[request->format],
        .shown = g_array_new(FALSE, FALSE, sizeof(guint)),
        .advice = -1,
        .about = -1,
        .advised = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        .advices = g_ptr_array_new()};
    gboolean ok = query(&run, db, error);
    if (run.state)
        run.renderer->end(run.state, ok);
    else if (ok)
        ok = write_empty(&run, db, error);
    if (ok)
        write_advice(&run);
    if (ok && (fflush(out) != 0 || ferror(out))) {
        g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not write the report: %s", g_strerror(errno));
        ok = FALSE;
    }
    g_array_unref(run.shown);
    g_ptr_array_unref(run.advices);
    g_hash_table_unref(run.advised);
    return ok;
}
