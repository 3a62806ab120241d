#include "ingest/mime.h"

#include "ingest/content.h"
#include "ingest/label.h"
#include "ingest/mail_scan.h"
#include "ingest/plain_field.h"
#include "parser/authres.h"
#include "parser/dates.h"

#include <string.h>

/* What is plain is decided line by line: whenever two readers of MIME might see two things, the mail is not.
 * The limits are those of ingest/mail_scan.h, in its way of counting; a mail that passes one is left to it.
 */

#define PLAIN_SIZE (1024 * 1024)
#define PLAIN_DEPTH 4   /* multiparts inside of each other */
#define BOUNDARY_MAX 70 /* RFC 2046 section 5.1.1 */

struct cutter {
    const char *data, *end;
    const struct limits *limits;
    struct mime_tree *tree;
    guint parts, header_lines;
    guint64 all_lines, header_bytes;
};

/* What a header says that is of use. */
struct header {
    struct plain_field type, encoding, disposition, from, subject, date, id, tls;
    GPtrArray *authres; /* of the mail's own header, or NULL */
    const char *body;
};

/* The field of the header that is called so; NULL for those that are of no use. */
static struct plain_field *field_named(struct header *header, const char *name, gsize n)
{
    const struct {
        const char *name;
        struct plain_field *field;
        gboolean top;
    } rows[] = {{"content-type", &header->type, FALSE},
                {"content-transfer-encoding", &header->encoding, FALSE},
                {"content-disposition", &header->disposition, FALSE},
                {"from", &header->from, TRUE},
                {"subject", &header->subject, TRUE},
                {"date", &header->date, TRUE},
                {"message-id", &header->id, TRUE},
                {"tls-report-domain", &header->tls, TRUE}};
    if (!strchr("cCfFsSdDmMtT", *name))
        return NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (n == strlen(rows[i].name) && g_ascii_strncasecmp(name, rows[i].name, n) == 0)
            return rows[i].top && !header->authres ? NULL : rows[i].field;
    }
    return NULL;
}

static gboolean is_blank(const char *text, gsize n)
{
    gsize i = 0;
    while (i < n && (text[i] == ' ' || text[i] == '\t'))
        i++;
    return i == n;
}

/* Counts a line of a header; FALSE past a limit. `length` is with its end. */
static gboolean count_line(struct cutter *c, gsize length)
{
    c->header_bytes += length;
    return length <= c->limits->header_line && ++c->header_lines <= c->limits->message_headers &&
           ++c->all_lines <= (guint64)MAIL_HEADER_LINES * c->limits->message_headers &&
           c->header_bytes <= MAIL_HEADER_TOTAL * c->limits->header_line;
}

/* The Authentication-Results field, a line of it at a time. FALSE when it is too long or has a NUL. */
static gboolean add_authres(GString *field, const char *text, gsize n)
{
    if (field->len + n > AUTHRES_BYTES || memchr(text, '\0', n))
        return FALSE;
    g_string_append_len(field, text, (gssize)n);
    g_string_append_c(field, '\n');
    return TRUE;
}

/* Where the fields go, line by line. */
struct current {
    struct plain_field *field; /* of use, or NULL */
    GString *authres;          /* the field is one of these, or NULL */
};

static void end_field(struct header *header, struct current *current)
{
    if (current->authres)
        g_ptr_array_add(header->authres, g_string_free(current->authres, FALSE));
    *current = (struct current){0};
}

static gboolean begin_field(struct header *header, struct current *current, const char *line, gsize n)
{
    gsize name = 0;
    while (name < n && line[name] > 32 && line[name] < 127 && line[name] != ':')
        name++;
    if (name == 0 || name == n || line[name] != ':')
        return FALSE;
    const char *value = line + name + 1;
    gsize left = n - name - 1;
    current->field = field_named(header, line, name);
    if (current->field) {
        if (current->field->text)
            return FALSE;
        *current->field = (struct plain_field){.text = value, .n = left};
    } else if (header->authres && header->authres->len < MAIL_AUTHRES_FIELDS &&
               name == strlen("authentication-results") &&
               g_ascii_strncasecmp(line, "authentication-results", name) == 0) {
        current->authres = g_string_sized_new(left + 1);
        return add_authres(current->authres, value, left);
    }
    return TRUE;
}

/* Reads the header from `at` on, up to and with its blank line. */
static gboolean read_header(struct cutter *c, const char *at, const char *end, struct header *header)
{
    struct current current = {0};
    gboolean ok = TRUE;
    c->header_lines = 0;
    for (guint fields = 0;; fields++) {
        const char *eol = at < end ? memchr(at, '\n', (gsize)(end - at)) : NULL;
        ok = eol != NULL;
        if (!ok)
            break;
        gsize n = (gsize)(eol - at);
        if (n && at[n - 1] == '\r')
            n--;
        header->body = eol + 1;
        if (n == 0)
            break;
        ok = count_line(c, (gsize)(eol - at) + 1);
        if (ok && (*at == ' ' || *at == '\t')) {
            ok = fields > 0 && !is_blank(at, n) && (!current.authres || add_authres(current.authres, at, n));
            if (current.field)
                current.field->n = (gsize)(at + n - current.field->text);
        } else if (ok) {
            end_field(header, &current);
            ok = begin_field(header, &current, at, n);
        }
        if (!ok)
            break;
        at = eol + 1;
    }
    end_field(header, &current);
    return ok;
}

/* The mail's head. */

/* "Sat, 21 Nov 2026 10:00:00 +0100", of any month's first 28 days: no two readers differ over such a one. */
static gboolean is_regular(const char *date)
{
    static const char shape[] = "Aaa, 00 Aaa 0000 00:00:00 +0000";
    for (gsize i = 0; i < sizeof shape; i++) {
        gboolean fits = shape[i] == '0'   ? g_ascii_isdigit(date[i])
                        : shape[i] == 'A' ? g_ascii_isupper(date[i])
                        : shape[i] == 'a' ? g_ascii_islower(date[i])
                        : shape[i] == '+' ? date[i] == '+' || date[i] == '-'
                                          : date[i] == shape[i];
        if (!fits)
            return FALSE;
    }
    return strncmp(date + 5, "00", 2) > 0 && strncmp(date + 5, "28", 2) <= 0 &&
           strncmp(date + 12, "1971", 4) >= 0 && strncmp(date + 17, "23", 2) <= 0 && date[20] < '6' &&
           date[23] < '6' && strncmp(date + 27, "13", 2) <= 0 && date[29] < '6';
}

static gboolean read_head(struct cutter *c, const struct header *header)
{
    struct message_head *head = &c->tree->head;
    struct arena *arena = &c->tree->arena;
    char *from, *subject, *date, *id, *tls;
    if (!plain_field_text(&header->from, arena, &from) ||
        !plain_field_text(&header->subject, arena, &subject) ||
        !plain_field_text(&header->date, arena, &date) || !plain_field_text(&header->id, arena, &id) ||
        !plain_field_text(&header->tls, arena, &tls))
        return FALSE;
    head->tls_domain = message_head_name(tls);
    if ((date && strstr(date, "=?")) || (id && strstr(id, "=?")))
        return FALSE;
    if (date && !(is_regular(date) && date_parse_mail(date, &head->date)))
        head->date = mime_decode_date(date);
    if (id) {
        const char *simple = *id == '<' ? plain_address(id, arena) : NULL;
        g_autofree char *decoded = simple ? NULL : mime_decode_id(id);
        head->message_id = message_head_text(simple ? simple : decoded);
    }
    if (subject) {
        g_autofree char *decoded = strstr(subject, "=?") ? mime_decode_text(subject) : NULL;
        head->subject = message_head_text(decoded ? decoded : subject);
    }
    if (from) {
        g_autofree char *decoded = strstr(from, "=?") ? mime_decode_text(from) : NULL;
        const char *address = plain_address(from, arena);
        if (!address)
            return FALSE;
        head->from = message_head_text(decoded ? decoded : from);
        head->from_domain = message_head_domain(address);
    }
    g_ptr_array_add(header->authres, NULL);
    head->authres = g_strdupv((char **)header->authres->pdata);
    return TRUE;
}

/* Parts. */

static gboolean read_part(struct cutter *c, const char *at, const char *end, guint level,
                          struct mime_node **node_r);

/* Text in front of or behind parts, which is left out: it must hold nothing that anybody would look at. */
static gboolean is_idle(const char *text, const char *end)
{
    gsize n = (gsize)(end - text), i = 0;
    gboolean prose = FALSE;
    while (i < n && g_ascii_isspace(text[i]))
        i++;
    if (i == n)
        return TRUE;
    if (!g_ascii_isalpha(text[i]))
        return FALSE;
    for (; i < n; i++) {
        if (!g_ascii_isprint(text[i]) && !g_ascii_isspace(text[i]))
            return FALSE;
        prose |= i < CONTENT_SNIFF / 2 && strchr(".,-'", text[i]) != NULL;
    }
    return prose && !content_is_candidate(content_sniff((const guint8 *)text, n, NULL));
}

/* Where the line end in front of `line` begins; NULL when there is none behind `from`. */
static const char *end_before(const char *from, const char *line)
{
    const char *end = line - 1;
    if (end < from || *end != '\n')
        return NULL;
    return end > from && end[-1] == '\r' ? end - 1 : end;
}

/* The next line that a boundary is on. FALSE when the word stands anywhere else. */
static gboolean find_boundary(const char *at, const char *end, const char *word, const char **line_r)
{
    *line_r = at < end ? memmem(at, (gsize)(end - at), word, strlen(word)) : NULL;
    return !*line_r || *line_r == at || (*line_r)[-1] == '\n';
}

/* Whether the line in front of a boundary ends as its own line does, from which GMime tells what is not text.
 */
static gboolean ends_alike(const struct cutter *c, const char *line, const char *word)
{
    const char *behind = line + strlen(word);
    if (c->end - behind >= 2 && behind[0] == '-' && behind[1] == '-')
        behind += 2;
    return behind < c->end && (*behind == '\r') == (line[-2] == '\r');
}

/* What follows a boundary in its line: nothing. NULL when there is something; else the next line. */
static const char *rest_of_line(const char *at, const char *end)
{
    if (at < end && *at == '\r')
        at++;
    return at < end && *at == '\n' ? at + 1 : NULL;
}

static gboolean read_multipart(struct cutter *c, struct mime_node *node, const char *at, const char *end,
                               const char *boundary, guint level)
{
    g_autofree char *word = g_strconcat("--", boundary, NULL);
    const char *line, *next;
    struct mime_node **child = &node->children;
    if (level >= PLAIN_DEPTH || level >= c->limits->message_depth || !find_boundary(at, end, word, &line) ||
        !line)
        return FALSE;
    const char *face = line == at ? at : end_before(at, line);
    if (!face || !is_idle(at, face))
        return FALSE;
    for (;; line = next, child = &(*child)->next) {
        const char *behind = line + strlen(word);
        if (end - behind >= 2 && behind[0] == '-' && behind[1] == '-') {
            at = behind + 2;
            break;
        }
        at = rest_of_line(behind, end);
        if (!at || ++c->parts > c->limits->message_parts || !find_boundary(at, end, word, &next) || !next)
            return FALSE;
        const char *content_end = end_before(at, next);
        if (!content_end || !ends_alike(c, next, word) || !read_part(c, at, content_end, level + 1, child))
            return FALSE;
    }
    if (!node->children)
        return FALSE;
    /* At the very end GMime takes the line end in front of the boundary for text. */
    if (at == end)
        return end < c->end;
    at = rest_of_line(at, end);
    return at && find_boundary(at, end, word, &next) && !next && is_idle(at, end);
}

/* The types whose parts are no plain leaves or multiparts. */
static gboolean is_special(const char *type)
{
    return g_str_has_prefix(type, "message/") || g_str_has_prefix(type, "text/rfc") ||
           g_str_equal(type, "multipart/digest");
}

static gboolean read_body(struct cutter *c, const struct header *header, const char *end, guint level,
                          struct mime_node *node)
{
    struct arena *arena = &c->tree->arena;
    struct plain_params type = {0}, disposition = {0};
    char *encoding;
    if (!plain_field_params(&header->type, arena, &type) ||
        !plain_field_params(&header->disposition, arena, &disposition) ||
        !plain_field_text(&header->encoding, arena, &encoding))
        return FALSE;
    if (encoding && strstr(encoding, "=?"))
        return FALSE;
    node->declared = header->type.text != NULL;
    node->media_type = node->declared ? type.value : "text/plain";
    node->encoding = encoding;
    if (!strchr(node->media_type, '/') || is_special(node->media_type))
        return FALSE;
    if (g_str_has_prefix(node->media_type, "multipart/")) {
        gsize n = type.boundary ? strlen(type.boundary) : 0;
        node->kind = MIME_MULTIPART;
        return n > 0 && n <= BOUNDARY_MAX && read_multipart(c, node, header->body, end, type.boundary, level);
    }
    node->kind = MIME_LEAF;
    node->file_name = label_better_name(disposition.file_name, type.name);
    node->start = (guint64)(header->body - c->data);
    node->end = (guint64)(end - c->data);
    return TRUE;
}

/* A part of a multipart: header and body. */
static gboolean read_part(struct cutter *c, const char *at, const char *end, guint level,
                          struct mime_node **node_r)
{
    struct header header = {0};
    *node_r = mime_node_new(c->tree);
    return read_header(c, at, end, &header) && read_body(c, &header, end, level, *node_r);
}

gboolean mime_plain_read(struct blob *mail, const struct limits *limits, struct mime_tree *tree)
{
    GBytes *bytes = blob_bytes(mail);
    gsize size = 0;
    if (!bytes || blob_size(mail) == 0 || blob_size(mail) > PLAIN_SIZE)
        return FALSE;
    const char *data = g_bytes_get_data(bytes, &size);
    struct cutter c = {.data = data, .end = data + size, .limits = limits, .tree = tree};
    struct header header = {.authres = g_ptr_array_new_with_free_func(g_free)};
    *tree = (struct mime_tree){0};
    /* Without a field there is no header at all. */
    gboolean ok = *data != '\n' && *data != '\r' && read_header(&c, data, data + size, &header);
    if (ok) {
        tree->blob = blob_ref(mail);
        tree->root = mime_node_new(tree);
        ok = read_body(&c, &header, data + size, 0, tree->root) && read_head(&c, &header);
        if (!ok)
            mime_tree_clear(tree);
    }
    g_ptr_array_unref(header.authres);
    return ok;
}
