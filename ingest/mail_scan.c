#include "ingest/mail_scan.h"

#include "ingest/lines.h"
#include "parser/authres.h"
#include "parser/error.h"

#include <string.h>

#define STRAY_MAX ((guint64)1024 * 1024) /* text outside of all parts that GMime may keep in memory */
#define UNCLEAR_SIZE ((guint64)1024 * 1024)
#define UNCLEAR_DASHES 2000 /* lines that may be boundaries of an unclear mail */
#define TYPE_MAX 4096       /* of a Content-Type that is looked at */
#define BOUNDARY_MAX 1000

struct scanner {
    const struct limits *limits;
    struct mail_scan *scan;
    GPtrArray *open;         /* boundaries of the multiparts that are open; NULL for a nested message */
    GString *type;           /* Content-Type of the header that is being read */
    gboolean in_header, top; /* top: it is the mail's own */
    gboolean in_type, typed; /* the current field is a Content-Type; there was one */
    gboolean keep;           /* the current field is of use */
    GString *authres;        /* the current field, when it is one of these */
    gboolean stray;          /* between parts */
    gboolean unclear;        /* GMime may see boundaries that we do not */
    guint fields, header_lines, parts;
    guint64 all_lines, header_bytes, stray_bytes, dashes;
    guint64 eol;  /* bytes that ended the line before */
    guint64 part; /* where the line ends that is in front of the part that is being read, or 0 */
};

static gboolean over(GError **error, const char *name, guint64 value, const char *of)
{
    g_set_error(error, WS_ERROR, WS_ERROR_LIMIT, "limit %s: more than %" G_GUINT64_FORMAT " %s", name, value,
                of);
    return FALSE;
}

/* Length of a field name in front of a colon (RFC 5322 section 2.2, blanks before the colon allowed), or 0.
 */
static gsize field_name(const struct line *line)
{
    gsize n = 0;
    while (n < line->n && line->text[n] > 32 && line->text[n] < 127 && line->text[n] != ':')
        n++;
    gsize colon = n;
    while (colon < line->n && (line->text[colon] == ' ' || line->text[colon] == '\t'))
        colon++;
    return colon < line->n && line->text[colon] == ':' ? n : 0;
}

static gboolean is_name(const struct line *line, gsize n, const char *name)
{
    return n == strlen(name) && g_ascii_strncasecmp(line->text, name, n) == 0;
}

static gboolean is_of_use(const struct line *line, gsize n)
{
    static const char *const names[] = {"from",       "subject",      "date",
                                        "message-id", "mime-version", "tls-report-domain"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (is_name(line, n, names[i]))
            return TRUE;
    }
    return n > 8 && g_ascii_strncasecmp(line->text, "content-", 8) == 0;
}

static const char *find_word(const char *text, const char *word)
{
    gsize n = strlen(word);
    for (; *text; text++) {
        if (g_ascii_strncasecmp(text, word, n) == 0)
            return text;
    }
    return NULL;
}

/* The boundary parameter as it stands in a plain Content-Type; NULL when there is none or it is written in a
 * way that only a full parser understands. Owned by the caller. */
static char *find_boundary(const char *type)
{
    for (const char *at = type; (at = find_word(at, "boundary")); at++) {
        const char *value = at + strlen("boundary");
        value += strspn(value, " \t\r\n");
        if (*value != '=')
            continue;
        value++;
        value += strspn(value, " \t\r\n");
        if (*value == '(')
            return NULL;
        GString *out = g_string_new(NULL);
        if (*value == '"') {
            for (value++; *value && *value != '"'; value++) {
                if (*value == '\\' && value[1])
                    value++;
                g_string_append_c(out, *value);
            }
        } else {
            g_string_append_len(out, value, (gssize)strcspn(value, "; \t\r\n"));
        }
        while (out->len && g_ascii_isspace(out->str[out->len - 1]))
            g_string_truncate(out, out->len - 1);
        return g_string_free(out, out->len == 0 || out->len > BOUNDARY_MAX);
    }
    return NULL;
}

static gboolean enter(struct scanner *s, char *boundary, GError **error)
{
    if (s->open->len >= s->limits->message_depth) {
        g_free(boundary);
        return over(error, "message_depth", s->limits->message_depth, "parts inside of each other");
    }
    g_ptr_array_add(s->open, boundary);
    return TRUE;
}

static void begin_header(struct scanner *s)
{
    s->in_header = TRUE;
    s->in_type = s->typed = FALSE;
    s->stray = FALSE;
    s->header_lines = 0;
    g_string_truncate(s->type, 0);
}

static void end_field(struct scanner *s)
{
    if (s->authres)
        g_ptr_array_add(s->scan->authres, g_string_free(s->authres, FALSE));
    s->authres = NULL;
}

/* The blank line: what follows is a body, the text before a multipart's first part, or the header of a nested
 * message. */
static gboolean end_header(struct scanner *s, const struct line *line, GError **error)
{
    s->in_header = FALSE;
    end_field(s);
    if (s->top) {
        s->scan->body = line->offset + line->length;
        s->scan->odd |= line->n > 0;
        s->top = FALSE;
    }
    if (find_word(s->type->str, "multipart/")) {
        char *boundary = find_boundary(s->type->str);
        s->unclear |= !boundary || find_word(s->type->str, "digest");
        s->stray = TRUE;
        return !boundary || enter(s, boundary, error);
    }
    if (find_word(s->type->str, "message/rfc") || find_word(s->type->str, "message/global") ||
        find_word(s->type->str, "message/news")) {
        if (!enter(s, NULL, error))
            return FALSE;
        begin_header(s);
    }
    return TRUE;
}

/* Gathers a line of the field. What is left out must not go unnoticed: an open comment spoils the whole. */
static void add_to_field(struct scanner *s, const struct line *line, gsize from)
{
    if (!s->authres || s->authres->len > AUTHRES_BYTES)
        return;
    gsize n = strnlen(line->text + from, line->n - from);
    gboolean whole = from + n == line->n && line->length <= line->n + strlen("\r\n");
    g_string_append_len(s->authres, line->text + from, (gssize)MIN(n, AUTHRES_BYTES));
    g_string_append_c(s->authres, whole ? '\n' : '(');
}

static gboolean header_line(struct scanner *s, const struct line *line, GError **error)
{
    if (line->length > s->limits->header_line)
        return over(error, "header_line", s->limits->header_line, "bytes in a line of a header");
    s->header_bytes += line->length;
    if (++s->header_lines > s->limits->message_headers ||
        ++s->all_lines > (guint64)MAIL_HEADER_LINES * s->limits->message_headers ||
        s->header_bytes > MAIL_HEADER_TOTAL * s->limits->header_line)
        return over(error, "message_headers", s->limits->message_headers,
                    "header lines of a mail or part, or too many in all");
    if (line->n && (line->text[0] == ' ' || line->text[0] == '\t')) {
        s->scan->odd |= s->top && !s->fields;
        if (s->in_type && s->type->len < TYPE_MAX)
            g_string_append_len(s->type, line->text, (gssize)MIN(line->n, TYPE_MAX));
        add_to_field(s, line, 0);
    } else {
        gsize n = field_name(line);
        end_field(s);
        if (s->top && is_name(line, n, "authentication-results") &&
            s->scan->authres->len < MAIL_AUTHRES_FIELDS) {
            s->authres = g_string_new(NULL);
            add_to_field(s, line, n + strcspn(line->text + n, ":") + 1);
        }
        s->fields += n > 0;
        gboolean type = is_name(line, n, "content-type");
        /* Of several Content-Types the first counts. */
        s->scan->odd |= s->top && (n == 0 || (type && s->typed));
        s->keep = n > 0 && is_of_use(line, n) && !(type && s->typed);
        s->in_type = type && !s->typed;
        if (s->in_type) {
            s->typed = TRUE;
            g_string_append_len(s->type, line->text + n, (gssize)MIN(line->n - n, TYPE_MAX));
        }
    }
    if (s->top && s->keep && s->fields) {
        g_string_append_len(s->scan->head, line->text, (gssize)line->n);
        g_string_append_c(s->scan->head, '\n');
    }
    return TRUE;
}

/* Whether the line is a boundary of an open multipart; leaves what it ends. */
static gboolean boundary_line(struct scanner *s, const struct line *line, gboolean *found_r, GError **error)
{
    const char *text = line->text + 2;
    gsize left = line->n - 2;
    s->dashes++;
    for (guint i = s->open->len; i-- > 0;) {
        const char *boundary = s->open->pdata[i];
        gsize n = boundary ? strlen(boundary) : 0;
        if (!n || left < n || memcmp(text, boundary, n) != 0)
            continue;
        struct line rest = {.text = text + n, .n = left - n};
        gboolean closing = rest.n >= 2 && rest.text[0] == '-' && rest.text[1] == '-';
        if (!closing && !line_is_blank(&rest))
            continue;
        g_ptr_array_set_size(s->open, (gint)(closing ? i : i + 1));
        *found_r = TRUE;
        s->in_header = FALSE;
        s->stray = closing;
        if (closing)
            return TRUE;
        s->part = line->offset - s->eol;
        if (++s->parts > s->limits->message_parts)
            return over(error, "message_parts", s->limits->message_parts, "parts");
        begin_header(s);
        return TRUE;
    }
    return TRUE;
}

static gboolean scan_line(struct scanner *s, const struct line *line, GError **error)
{
    if (line->n >= 2 && line->text[0] == '-' && line->text[1] == '-') {
        gboolean found = FALSE;
        if (!boundary_line(s, line, &found, error))
            return FALSE;
        if (found)
            return TRUE;
    }
    if (s->in_header)
        return line_is_blank(line) ? end_header(s, line, error) : header_line(s, line, error);
    if (s->stray)
        s->stray_bytes += line->length;
    return TRUE;
}

/* What may stand in front of a header: a BOM, blank lines, the line that an mbox or a pipe puts there. */
static gboolean skip_lead(struct blob *mail, struct lines *lines, GError **error)
{
    char bom[3];
    gssize got = blob_read(mail, 0, bom, sizeof bom, error);
    if (got < 0)
        return FALSE;
    lines_init(lines, mail, got == 3 && memcmp(bom, "\xef\xbb\xbf", 3) == 0 ? 3 : 0, blob_size(mail));
    for (;;) {
        struct line line;
        guint64 at = lines->at;
        g_autoptr(GError) failure = NULL;
        if (!lines_next(lines, &line, &failure)) {
            if (failure)
                g_propagate_error(error, g_steal_pointer(&failure));
            return !failure;
        }
        gboolean from = line.n > 5 && (memcmp(line.text, "From ", 5) == 0 ||
                                       (line.n > 6 && memcmp(line.text, ">From ", 6) == 0));
        if (!from && !line_is_blank(&line)) {
            lines->at = at;
            return TRUE;
        }
    }
}

static void scan_all(struct scanner *s, struct lines *lines, GError **failure)
{
    struct line line;
    /* A header has fields in its first lines; a file without any is all body. */
    guint64 start = lines->at;
    for (guint i = 0; i < 3 && !s->fields && lines_next(lines, &line, failure) && !line_is_blank(&line); i++)
        s->fields += field_name(&line) > 0;
    lines->at = start;
    if (*failure || !s->fields)
        return;
    s->scan->body = blob_size(lines->blob);
    s->fields = 0;
    while (lines_next(lines, &line, failure)) {
        if (!scan_line(s, &line, failure))
            break;
        s->eol = MIN(line.length - line.n, strlen("\r\n"));
    }
    if (*failure && (!s->part || !g_error_matches(*failure, WS_ERROR, WS_ERROR_LIMIT)))
        return;
    s->scan->limit = g_steal_pointer(failure);
    s->scan->cut = s->part;
    gboolean large = blob_size(lines->blob) > UNCLEAR_SIZE || s->dashes > UNCLEAR_DASHES;
    s->scan->walkable = s->stray_bytes <= STRAY_MAX && !(s->unclear && large);
}

gboolean mail_scan(struct blob *mail, const struct limits *limits, struct mail_scan *scan, GError **error)
{
    *scan = (struct mail_scan){.head = g_string_new(NULL), .authres = g_ptr_array_new_with_free_func(g_free)};
    struct lines lines = {0};
    struct scanner s = {.limits = limits, .scan = scan, .top = TRUE, .in_header = TRUE};
    g_autoptr(GError) failure = NULL;
    if (skip_lead(mail, &lines, &failure)) {
        scan->header = scan->body = lines.at;
        s.open = g_ptr_array_new_with_free_func(g_free);
        s.type = g_string_new(NULL);
        scan_all(&s, &lines, &failure);
        end_field(&s);
        g_string_append_c(scan->head, '\n');
        g_ptr_array_unref(s.open);
        g_string_free(s.type, TRUE);
    }
    lines_clear(&lines);
    gboolean ok = !failure;
    if (failure)
        g_propagate_error(error, g_steal_pointer(&failure));
    return ok;
}

void mail_scan_clear(struct mail_scan *scan)
{
    if (scan->head)
        g_string_free(scan->head, TRUE);
    g_clear_pointer(&scan->authres, g_ptr_array_unref);
    g_clear_error(&scan->limit);
    *scan = (struct mail_scan){0};
}
