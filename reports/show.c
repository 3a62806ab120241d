#include "reports/show.h"

#include "db/original.h"
#include "parser/codes.h"
#include "reports/catalog.h"
#include "reports/text.h"

#include <errno.h>
#include <string.h>

#define NAME_WIDTH 22

struct show {
    struct db *db;
    FILE *out;
    gboolean json;
    guint depth;    /* how deep the next line is */
    gboolean first; /* nothing stands yet in the innermost object or list of JSON */
};

static const char mails_sql[] = "SELECT encode(f.mail_sha256, 'hex'), f.message FROM dmarc.find_mail($1) f"
                                " ORDER BY f.message LIMIT $2::int";

/* Which mail it is stands at each table: in a distributed database, one node has all of it then. */
static const char mail_sql[] =
    "SELECT m.id AS mail, encode(m.sha256, 'hex') AS sha256, m.source, m.message_id, m.mail_from, m.subject,"
    " m.mail_date, m.size, m.auth_result, m.auth_domain, m.ingested_at, m.outcome,"
    " (SELECT min(o.id) FROM dmarc.message o WHERE o.sha256 = decode($1, 'hex') AND o.id < $2::bigint) AS "
    "same_as,"
    " m.code, m.detail,"
    " (SELECT array_agg(o.id::text) FROM (SELECT c.id FROM dmarc.message c"
    "  WHERE c.sha256 = decode($1, 'hex') AND c.id <> $2::bigint ORDER BY c.id LIMIT 20) o) AS also_as,"
    " m.original, m.reread_at"
    " FROM dmarc.message m WHERE m.sha256 = decode($1, 'hex') AND m.id = $2::bigint";
enum { MAIL_NUMBER, MAIL_SHA256, MAIL_CODE = 13 };

static const char readings_sql[] =
    "SELECT r.read_until, r.command, r.outcome, r.problems FROM dmarc.reading r"
    " WHERE r.mail_sha256 = decode($1, 'hex') AND r.message = $2::bigint ORDER BY r.ordinal";

static const char documents_sql[] =
    "SELECT d.path, d.kind, d.size, encode(d.sha256, 'hex') AS sha256, d.outcome, d.code, d.detail,"
    " d.domain, d.day, d.report, d.warnings"
    " FROM dmarc.document d WHERE d.mail_sha256 = decode($1, 'hex') AND d.message = $2::bigint ORDER BY "
    "d.ordinal";
enum { DOCUMENT_KIND = 1, DOCUMENT_CODE = 5, DOCUMENT_DOMAIN = 7, DOCUMENT_REPORT = 9, DOCUMENT_WARNINGS };

static const char report_sql[] =
    "SELECT r.id AS report, r.domain, r.reporter, r.org_name, r.email, r.extra_contact_info, r.report_id,"
    " r.period_begin, r.period_end, r.generation, r.version, r.generator, r.namespace_uri, r.error,"
    " r.p, r.sp, r.np, r.adkim, r.aspf, r.pct, r.fo, r.testing, r.discovery_method,"
    " r.record_count AS records, r.records_seen, r.message_count AS messages,"
    " r.incomplete, r.replaced, r.id_collision, r.trusted, r.foreign_domain, r.extensions, r.raw,"
    " r.warnings, r.warning_notes"
    " FROM dmarc.report r WHERE r.domain = $1 AND r.day = $2::date AND r.id = $3::bigint";
static const char failure_sql[] =
    "SELECT r.id AS report, r.domain, r.reporter, r.reporting_mta, r.user_agent, r.arrived, r.incidents,"
    " r.source_ip, r.source_raw, r.auth_failures, r.alignment_failed, r.delivery_result, r.header_from,"
    " r.from_text, r.mail_from, r.rcpt_domain, r.message_id AS failed_message_id, r.envelope_id, r.subject,"
    " r.subject_hash, r.dkim_domain, r.dkim_selector, r.signature_domains, r.signature_selectors,"
    " r.authentication_results, r.raw, r.warnings, r.warning_notes"
    " FROM dmarc.failure_report r WHERE r.domain = $1 AND r.day = $2::date AND r.id = $3::bigint";

static const char tls_sql[] =
    "SELECT r.id AS report, r.domain, r.reporter, r.organization, r.contact, r.report_id, r.period_begin,"
    " r.period_end, r.id_collision,"
    " (SELECT array_agg(concat(p.policy_type, ': ', coalesce(p.successful::text, '?'), ' successful, ',"
    " coalesce(p.failed::text, '?'), ' failed') ORDER BY p.ordinal) FROM dmarc.tls_policy p"
    " WHERE p.domain = $1 AND p.day = $2::date AND p.report = $3::bigint) AS policies,"
    " (SELECT array_agg(concat(f.result_type, ': ', coalesce(f.failed::text, '?'), ' at ' || f.mx_hostname,"
    " ' from ' || host(f.sending_ip), ', ' || f.reason_code) ORDER BY f.policy, f.ordinal)"
    " FROM dmarc.tls_failure f WHERE f.domain = $1 AND f.day = $2::date AND f.report = $3::bigint) AS "
    "failures,"
    " r.warnings, r.warning_notes"
    " FROM dmarc.tls_report r WHERE r.domain = $1 AND r.day = $2::date AND r.id = $3::bigint";

/* By the kind of the document. The last two columns of each are warnings and notes. */
static const struct {
    const char *kind, *sql;
} other_reports[] = {{"failure", failure_sql}, {"tls", tls_sql}};

enum { REPORT_TRUSTED = 29, REPORT_FOREIGN, REPORT_WARNINGS = 33, REPORT_NOTES };

/* ---- one fact, one object, one list ---- */

static void new_line(struct show *show)
{
    if (show->json && !show->first)
        fputc(',', show->out);
    if (show->json)
        fprintf(show->out, "\n%*s", (int)show->depth * 2, "");
    show->first = FALSE;
}

static void put(struct show *show, const char *name, const char *value, enum column_kind kind)
{
    if (show->json) {
        new_line(show);
        fprintf(show->out, "\"%s\": ", name);
        json_value(show->out, value, kind);
        return;
    }
    /* People are not told what is not there, and not what is not so. */
    if (!value || !*value || (kind == COLUMN_BOOL && *value == 'f'))
        return;
    g_autofree char *made = kind == COLUMN_BOOL     ? g_strdup("yes")
                            : kind == COLUMN_TIME   ? text_iso_time(value)
                            : kind == COLUMN_NUMBER ? text_group_number(value)
                            : kind == COLUMN_LIST   ? text_list_joined(value, "; ")
                                                    : g_strdup(value);
    g_autofree char *safe = render_safe(made);
    fprintf(show->out, "%*s%-*s %s\n", (int)show->depth * 2, "", NAME_WIDTH - 1 - (int)show->depth * 2, name,
            safe);
}

static void open_item(struct show *show, const char *name, char bracket, const char *heading)
{
    if (show->json) {
        new_line(show);
        if (name)
            fprintf(show->out, "\"%s\": ", name);
        fputc(bracket, show->out);
        show->first = TRUE;
    } else if (heading) {
        g_autofree char *safe = render_safe(heading);
        fprintf(show->out, "%*s%s\n", (int)show->depth * 2, "", safe);
    }
    show->depth++;
}

static void close_item(struct show *show, char bracket)
{
    show->depth--;
    if (show->json && !show->first)
        fprintf(show->out, "\n%*s", (int)show->depth * 2, "");
    if (show->json)
        fputc(bracket, show->out);
    show->first = FALSE;
}

static void put_columns(struct show *show, const struct db_result *result, guint row, guint from, guint end)
{
    for (guint i = from; i < end; i++)
        put(show, db_column_name(result, i), db_value(result, row, i),
            report_column_kind(db_column_name(result, i), db_column_type(result, i)));
}

/* What a code means, and what helps. */
static void put_meaning(struct show *show, const char *code)
{
    const struct code_row *row = code ? code_find(code) : NULL;
    if (row)
        put(show, "meaning", row->meaning, COLUMN_TEXT);
    if (row && row->hint)
        put(show, "hint", row->hint, COLUMN_TEXT);
}

/* ---- reports ---- */

static void put_warning(struct show *show, const char *code, const char *note)
{
    open_item(show, NULL, '{', code);
    if (show->json)
        put(show, "code", code, COLUMN_TEXT);
    put(show, "note", note, COLUMN_TEXT);
    put_meaning(show, code);
    close_item(show, '}');
}

/* `flags` are codes without notes and end with NULL. */
static void put_warnings(struct show *show, const char *codes, const char *notes, const char *const *flags)
{
    g_autoptr(GPtrArray) code = text_list(codes ? codes : "{}");
    g_autoptr(GPtrArray) note = text_list(notes ? notes : "{}");
    if (!show->json && !code->len && !*flags)
        return;
    open_item(show, "warnings", '[', "warnings");
    for (guint i = 0; i < code->len; i++)
        if (code->pdata[i])
            put_warning(show, code->pdata[i], i < note->len ? note->pdata[i] : NULL);
    for (; *flags; flags++)
        put_warning(show, *flags, NULL);
    close_item(show, ']');
}

static void put_report_warnings(struct show *show, const struct db_result *report, gboolean aggregate)
{
    const char *flags[3] = {NULL};
    guint n = 0, last = db_columns(report) - 1;
    if (!aggregate) {
        put_warnings(show, db_value(report, 0, last - 1), db_value(report, 0, last), flags);
        return;
    }
    if (g_strcmp0(db_value(report, 0, REPORT_TRUSTED), "f") == 0)
        flags[n++] = "reporter_mismatch";
    if (g_strcmp0(db_value(report, 0, REPORT_FOREIGN), "t") == 0)
        flags[n++] = "foreign_domain";
    put_warnings(show, db_value(report, 0, REPORT_WARNINGS), db_value(report, 0, REPORT_NOTES), flags);
}

static gboolean show_report(struct show *show, const struct db_result *documents, guint row, GError **error)
{
    const char *values[] = {db_value(documents, row, DOCUMENT_DOMAIN),
                            db_value(documents, row, DOCUMENT_DOMAIN + 1),
                            db_value(documents, row, DOCUMENT_REPORT)};
    const char *sql = report_sql;
    if (!values[2])
        return TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(other_reports); i++)
        if (g_strcmp0(db_value(documents, row, DOCUMENT_KIND), other_reports[i].kind) == 0)
            sql = other_reports[i].sql;
    struct db_result *report = db_query(show->db, "reading a report", sql, 3, values, error);
    if (report && db_rows(report)) {
        g_autofree char *heading = g_strdup_printf("report %s", values[2]);
        open_item(show, "report", '{', heading);
        put_columns(show, report, 0, show->json ? 0 : 1, db_columns(report) - 2);
        put_report_warnings(show, report, sql == report_sql);
        close_item(show, '}');
    }
    db_result_free(report);
    return report != NULL;
}

/* ---- mails ---- */

static gboolean show_documents(struct show *show, const char *sha256, const char *mail, GError **error)
{
    static const char *const none = NULL;
    const char *values[] = {sha256, mail};
    struct db_result *documents = db_query(show->db, "reading documents", documents_sql, 2, values, error);
    gboolean ok = documents != NULL;
    open_item(show, "documents", '[', NULL);
    show->depth -= show->json ? 0 : 1;
    for (guint row = 0; ok && row < db_rows(documents); row++) {
        g_autofree char *heading = g_strdup_printf("document %u", row + 1);
        open_item(show, NULL, '{', heading);
        put_columns(show, documents, row, 0, DOCUMENT_DOMAIN);
        put_meaning(show, db_value(documents, row, DOCUMENT_CODE));
        put_warnings(show, db_value(documents, row, DOCUMENT_WARNINGS), NULL, &none);
        ok = show_report(show, documents, row, error);
        close_item(show, '}');
    }
    show->depth += show->json ? 0 : 1;
    close_item(show, ']');
    db_result_free(documents);
    return ok;
}

/* What was known of it before it was read again. */
static gboolean show_readings(struct show *show, const char *sha256, const char *mail, GError **error)
{
    const char *values[] = {sha256, mail};
    struct db_result *readings = db_query(show->db, "reading the history", readings_sql, 2, values, error);
    if (!readings)
        return FALSE;
    open_item(show, "readings", '[', NULL);
    show->depth -= show->json ? 0 : 1;
    for (guint row = 0; row < db_rows(readings); row++) {
        open_item(show, NULL, '{', "until it was read again");
        put_columns(show, readings, row, 0, db_columns(readings));
        close_item(show, '}');
    }
    show->depth += show->json ? 0 : 1;
    close_item(show, ']');
    db_result_free(readings);
    return TRUE;
}

static gboolean show_one(struct show *show, const struct db_result *mail, GError **error)
{
    const char *number = db_value(mail, 0, MAIL_NUMBER), *sha256 = db_value(mail, 0, MAIL_SHA256);
    g_autofree char *heading = g_strdup_printf("mail %s", number);
    open_item(show, NULL, '{', heading);
    put_columns(show, mail, 0, show->json ? 0 : 1, db_columns(mail));
    put_meaning(show, db_value(mail, 0, MAIL_CODE));
    gboolean ok = show_readings(show, sha256, number, error) && show_documents(show, sha256, number, error);
    close_item(show, '}');
    return ok;
}

static gboolean show_mail(struct show *show, const struct db_result *mails, guint row, GError **error)
{
    const char *values[] = {db_value(mails, row, 0), db_value(mails, row, 1)};
    struct db_result *mail = db_query(show->db, "reading a mail", mail_sql, 2, values, error);
    if (mail && !show->json && row)
        fputc('\n', show->out);
    gboolean ok = mail && (!db_rows(mail) || show_one(show, mail, error));
    db_result_free(mail);
    return ok;
}

static gboolean no_such_mail(const char *ref, GError **error)
{
    g_autofree char *safe = render_safe(ref);
    g_set_error(error, WS_ERROR, WS_ERROR_INPUT,
                "no mail in the ledger is meant by '%s'\nhint: the number of a mail, the beginning of its "
                "SHA-256, its source, its Message-ID, or a report_id",
                safe);
    return FALSE;
}

static gboolean written(FILE *out, GError **error)
{
    if (fflush(out) == 0 && !ferror(out))
        return TRUE;
    g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "could not write the mail: %s", g_strerror(errno));
    return FALSE;
}

gboolean show_mails(struct db *db, const char *ref, gboolean json, FILE *out, gboolean *more_r,
                    GError **error)
{
    struct show show = {.db = db, .out = out, .json = json, .first = TRUE};
    g_autofree char *most = g_strdup_printf("%d", SHOW_MOST + 1);
    const char *values[] = {ref, most};
    struct db_result *mails = db_query(db, "looking for the mail", mails_sql, 2, values, error);
    if (!mails)
        return FALSE;
    guint n = MIN(db_rows(mails), SHOW_MOST);
    gboolean ok = n > 0 || no_such_mail(ref, error);
    if (ok && json) {
        fputc('[', out);
        show.depth = 1;
    }
    for (guint row = 0; ok && row < n; row++)
        ok = show_mail(&show, mails, row, error);
    if (ok && json)
        fputs("\n]\n", out);
    *more_r = db_rows(mails) > n;
    db_result_free(mails);
    return ok && written(out, error);
}

/* ---- the mail itself ---- */

static gboolean put_bytes(gpointer self, const void *data, gsize n, GError **error)
{
    return fwrite(data, 1, n, self) == n || written(self, error);
}

static gboolean not_kept(const struct db_result *mail, GError **error)
{
    const char *why = db_value(mail, 0, 3);
    g_autofree char *safe = render_safe(db_value(mail, 0, 2));
    g_set_error(error, WS_ERROR, WS_ERROR_INPUT,
                "the original of mail %s is not kept%s\nhint: it came from %s; see key keep_originals",
                db_value(mail, 0, 1),
                g_strcmp0(why, "private") == 0     ? ": it holds mail of others"
                : g_strcmp0(why, "too_large") == 0 ? ": it is over limit original_size"
                                                   : "",
                safe);
    return FALSE;
}

gboolean show_raw(struct db *db, const char *ref, FILE *out, GError **error)
{
    static const char sql[] =
        "SELECT DISTINCT ON (m.sha256) encode(m.sha256, 'hex'), m.id, m.source, m.original"
        " FROM dmarc.find_mail($1) f JOIN dmarc.message m ON m.sha256 = f.mail_sha256 AND m.id = f.message"
        " ORDER BY m.sha256, m.id LIMIT 2";
    const char *values[] = {ref};
    gboolean found = FALSE;
    struct db_result *mail = db_query(db, "looking for the mail", sql, 1, values, error);
    if (!mail)
        return FALSE;
    gboolean ok = db_rows(mail) > 0 || no_such_mail(ref, error);
    if (ok && db_rows(mail) > 1) {
        g_autofree char *safe = render_safe(ref);
        g_set_error(error, WS_ERROR, WS_ERROR_USAGE,
                    "'%s' means more than one mail\nhint: \"whosends show\" tells their numbers", safe);
        ok = FALSE;
    }
    ok = ok && original_read(db, db_value(mail, 0, 0), put_bytes, out, &found, error) &&
         (found || not_kept(mail, error)) && written(out, error);
    db_result_free(mail);
    return ok;
}
