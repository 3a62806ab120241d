#include "ingest/content.h"

#include <string.h>

struct magic {
    const char *bytes;
    gsize n, offset;
    enum content_kind kind;
    const char *name;
};

static const struct magic magics[] = {
    {"\x1f\x8b\x08", 3, 0, CONTENT_GZIP, "gzip"},
    {"PK\x03\x04", 4, 0, CONTENT_ZIP, "zip"},
    {"PK\x05\x06", 4, 0, CONTENT_ZIP, "zip"},
    {"PK\x07\x08", 4, 0, CONTENT_ZIP, "zip"},
    {"PK00PK\x03\x04", 8, 0, CONTENT_ZIP, "zip"}, /* that was to be split, and fits (APPNOTE 8.5.4) */
    {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8, 0, CONTENT_OLE, "ole"},
    {"\x78\x9f\x3e\x22", 4, 0, CONTENT_TNEF, "tnef"},
    {"7z\xbc\xaf\x27\x1c", 6, 0, CONTENT_OTHER_ARCHIVE, "7z"},
    {"Rar!\x1a\x07", 6, 0, CONTENT_OTHER_ARCHIVE, "rar"},
    {"\xfd"
     "7zXZ\x00",
     6, 0, CONTENT_OTHER_ARCHIVE, "xz"},
    {"\x28\xb5\x2f\xfd", 4, 0, CONTENT_OTHER_ARCHIVE, "zstd"},
    {"\x04\x22\x4d\x18", 4, 0, CONTENT_OTHER_ARCHIVE, "lz4"},
    {"\x1f\x9d", 2, 0, CONTENT_OTHER_ARCHIVE, "compress"},
    {"MSCF\x00\x00\x00\x00", 8, 0, CONTENT_OTHER_ARCHIVE, "cab"},
    {"BZh", 3, 0, CONTENT_OTHER_ARCHIVE, "bzip2"},
    {"ustar", 5, 257, CONTENT_OTHER_ARCHIVE, "tar"},
};

/* bzip2 has a level and the start of a block behind its three letters, which text has not. */
static gboolean is_magic(const struct magic *magic, const guint8 *data, gsize n)
{
    if (n < magic->offset + magic->n || data[magic->offset] != (guint8)magic->bytes[0] ||
        memcmp(data + magic->offset, magic->bytes, magic->n) != 0)
        return FALSE;
    return strcmp(magic->name, "bzip2") != 0 ||
           (n > 4 && g_ascii_isdigit(data[3]) && (data[4] == 0x31 || data[4] == 0x17));
}

/* RFC 1950: deflate, a window of 32 KiB, no dictionary, and the check of the two bytes. */
static gboolean is_zlib(const guint8 *data, gsize n)
{
    return n >= 6 && data[0] == 0x78 &&
           (data[1] == 0x01 || data[1] == 0x5e || data[1] == 0x9c || data[1] == 0xda) && (data[2] & 6) != 6;
}

/* A CMS ContentInfo (RFC 5652): SEQUENCE, then the OID of signedData, envelopedData, ... */
static gboolean is_pkcs7(const guint8 *data, gsize n, gboolean *detached_r)
{
    static const guint8 prefix[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07};
    static const guint8 plain[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};
    if (n < 20 || data[0] != 0x30)
        return FALSE;
    gsize header = data[1] < 0x80 ? 2 : 2 + (gsize)(data[1] & 0x7f);
    if (header > 6 || header + sizeof prefix >= n || memcmp(data + header, prefix, sizeof prefix) != 0)
        return FALSE;
    /* A signature without its content has a bare "data" OID where the content would follow. */
    gsize at = header + sizeof prefix + 1;
    const guint8 *inner = memmem(data + at, n - at, plain, sizeof plain);
    if (inner && data[header + sizeof prefix] == 2) {
        const guint8 *next = inner + sizeof plain;
        *detached_r = inner[-1] == sizeof plain || (next < data + n && *next != 0xa0);
    }
    return TRUE;
}

/* The text behind BOMs, white space and control characters; for UTF-16 the first byte of each pair is looked
 * at by skipping NULs. */
static gsize skip_blanks(const guint8 *data, gsize n)
{
    gsize i = 0;
    for (;;) {
        if (n - i >= 3 && memcmp(data + i, "\xef\xbb\xbf", 3) == 0)
            i += 3;
        else if (n - i >= 2 && (memcmp(data + i, "\xff\xfe", 2) == 0 || memcmp(data + i, "\xfe\xff", 2) == 0))
            i += 2;
        else if (i < n && data[i] <= ' ')
            i++;
        else
            return i;
    }
}

static gboolean is_name_byte(guint8 c)
{
    return g_ascii_isalnum(c) || c >= 0x80 || (c && strchr("_:.-?!", c));
}

/* The name of the tag that starts at data[0] == '<', in lower case, NULs of UTF-16 left out. FALSE when it is
 * no tag, but an address in angle brackets, say. */
static gboolean tag_name(const guint8 *data, gsize n, char *name, gsize space)
{
    gsize length = 0, i = 1;
    for (; i < n && (data[i] == '\0' || is_name_byte(data[i])); i++) {
        if (data[i] && length + 1 < space)
            name[length++] = g_ascii_tolower((char)data[i]);
    }
    name[length] = '\0';
    if (i == n)
        return TRUE;
    return length > 0 && !g_ascii_isdigit(name[0]) && strchr(" \t\r\n>/[", data[i]) != NULL;
}

static gboolean is_html(const char *name, const guint8 *data, gsize n)
{
    static const char *const names[] = {"html",  "head", "body", "div", "p",      "table", "meta",
                                        "style", "font", "span", "br",  "center", "a",     "img",
                                        "title", "b",    "h1",   "h2",  "h3",     "pre",   "link"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (strcmp(name, names[i]) == 0)
            return TRUE;
    }
    if (strcmp(name, "!doctype") != 0)
        return FALSE;
    gsize i = 9;
    while (i < n && g_ascii_isspace(data[i]))
        i++;
    return n - i >= 4 && g_ascii_strncasecmp((const char *)data + i, "html", 4) == 0;
}

/* A Feedback-Type, which no mail's own header has, before the first blank line. */
static gboolean is_feedback(const guint8 *data, gsize n)
{
    static const char name[] = "feedback-type";
    const char *at = (const char *)data, *end = at + n;
    while ((gsize)(end - at) > strlen(name) && *at != '\n' && *at != '\r') {
        if ((*at == 'F' || *at == 'f') && g_ascii_strncasecmp(at, name, strlen(name)) == 0) {
            at += strlen(name);
            while (at < end && (*at == ' ' || *at == '\t'))
                at++;
            return at < end && *at == ':';
        }
        const char *line = memchr(at, '\n', (gsize)(end - at));
        at = line ? line + 1 : end;
    }
    return FALSE;
}

/* The From_ line of an mbox: a time in it, and a field in the next line. */
static gboolean is_mbox(const char *at, const char *end)
{
    const char *eol = memchr(at, '\n', (gsize)(end - at));
    gboolean time = FALSE;
    if (!eol || memcmp(at, "From ", 5) != 0)
        return FALSE;
    for (at += 5; at + 2 < eol && !time; at++)
        time = g_ascii_isdigit(at[-1]) && at[0] == ':' && g_ascii_isdigit(at[1]) && g_ascii_isdigit(at[2]);
    const char *name = eol + 1;
    while (name<end && * name> ' ' && *name < 127 && *name != ':')
        name++;
    return time && name > eol + 1 && name < end && *name == ':';
}

/* How many of the well-known fields stand at the start of lines (RFC 5322 section 3.6, RFC 2045). */
static gboolean is_mail(const guint8 *data, gsize n)
{
    static const char *const fields[] = {"received:",
                                         "from:",
                                         "to:",
                                         "subject:",
                                         "date:",
                                         "return-path:",
                                         "message-id:",
                                         "mime-version:",
                                         "reply-to:",
                                         "cc:",
                                         "content-type:",
                                         "delivered-to:",
                                         "dkim-signature:",
                                         "sender:",
                                         "authentication-results:",
                                         "arc-seal:",
                                         "x-original-to:"};
    const char *at = (const char *)data, *end = at + n;
    guint32 seen = 0;
    guint count = 0;
    if (n > 5 && memcmp(at, "From ", 5) == 0) {
        if (is_mbox(at, end))
            return TRUE;
        count++;
    }
    while (at < end) {
        const char *eol = memchr(at, '\n', (gsize)(end - at));
        char first = g_ascii_tolower(*at);
        for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
            if (fields[i][0] != first)
                continue;
            gsize length = strlen(fields[i]);
            if ((gsize)(end - at) >= length && !(seen & 1U << i) &&
                g_ascii_strncasecmp(at, fields[i], length) == 0) {
                seen |= 1U << i;
                count++;
            }
        }
        if (!eol || (eol > at && eol[-1] == '\r' ? eol - at == 1 : eol == at))
            break;
        at = eol + 1;
    }
    return count >= 2;
}

static enum content_kind answer(enum content_kind kind, const char *name, const char **name_r)
{
    if (name_r)
        *name_r = name;
    return kind;
}

enum content_kind content_sniff(const guint8 *data, gsize n, const char **name_r)
{
    gboolean detached = FALSE;
    n = MIN(n, CONTENT_SNIFF);
    for (gsize i = 0; i < G_N_ELEMENTS(magics); i++) {
        if (is_magic(&magics[i], data, n))
            return answer(magics[i].kind, magics[i].name, name_r);
    }
    if (is_zlib(data, n))
        return answer(CONTENT_GZIP, "zlib", name_r);
    if (is_pkcs7(data, n, &detached))
        return detached ? answer(CONTENT_OTHER, "signature", name_r) : answer(CONTENT_PKCS7, "pkcs7", name_r);
    gsize start = skip_blanks(data, n);
    if (start == n)
        return answer(CONTENT_EMPTY, "empty", name_r);
    char tag[32];
    if (data[start] == '<' && tag_name(data + start, n - start, tag, sizeof tag)) {
        if (is_html(tag, data + start, n - start))
            return answer(CONTENT_OTHER, "html", name_r);
        return answer(CONTENT_XML, "xml", name_r);
    }
    if (data[start] == '{')
        return answer(CONTENT_JSON, "json", name_r);
    if (is_feedback(data + start, n - start))
        return answer(CONTENT_FEEDBACK, "feedback", name_r);
    if (is_mail(data + start, n - start))
        return answer(CONTENT_MAIL, "mail", name_r);
    return answer(CONTENT_OTHER, "other", name_r);
}

gboolean content_is_candidate(enum content_kind kind)
{
    return kind == CONTENT_XML || kind == CONTENT_JSON || kind == CONTENT_GZIP || kind == CONTENT_ZIP;
}

/* The media types in use for what reports come as; "+xml" and the like are looked at by themselves. */
static enum content_kind claimed_by_type(const char *media_type)
{
    static const struct {
        const char *type;
        enum content_kind kind;
    } types[] = {
        {"application/gzip", CONTENT_GZIP},
        {"application/x-gzip", CONTENT_GZIP},
        {"application/x-gzip-compressed", CONTENT_GZIP},
        {"application/gzip-compressed", CONTENT_GZIP},
        {"application/x-gunzip", CONTENT_GZIP},
        {"application/tlsrpt+gzip", CONTENT_GZIP},
        {"application/zip", CONTENT_ZIP},
        {"application/x-zip", CONTENT_ZIP},
        {"application/x-zip-compressed", CONTENT_ZIP},
        {"application/zip-compressed", CONTENT_ZIP},
        {"application/xml", CONTENT_XML},
        {"text/xml", CONTENT_XML},
        {"application/json", CONTENT_JSON},
        {"text/json", CONTENT_JSON},
        {"application/octet-stream", CONTENT_OTHER},
        {"application/octetstream", CONTENT_OTHER},
        {"application/binary", CONTENT_OTHER},
        {"application/x-download", CONTENT_OTHER},
        {"application/force-download", CONTENT_OTHER},
        {"application/x-compressed", CONTENT_OTHER},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        if (g_str_equal(media_type, types[i].type))
            return types[i].kind;
    }
    if (g_str_has_suffix(media_type, "+xml") && !g_str_has_prefix(media_type, "image/"))
        return CONTENT_XML;
    return g_str_has_suffix(media_type, "+json") ? CONTENT_JSON : CONTENT_EMPTY;
}

gboolean content_belies_type(enum content_kind kind, const char *media_type)
{
    enum content_kind claimed = claimed_by_type(media_type);
    gboolean is_text = kind == CONTENT_XML || kind == CONTENT_JSON;
    if (!content_is_candidate(kind) || claimed == kind || claimed == CONTENT_OTHER)
        return FALSE;
    return !(is_text && g_str_equal(media_type, "text/plain"));
}

/* By the ending. */
static enum content_kind claimed_by_name(const char *file_name)
{
    static const struct {
        const char *ending;
        enum content_kind kind;
    } endings[] = {{".gz", CONTENT_GZIP},
                   {".gzip", CONTENT_GZIP},
                   {".zip", CONTENT_ZIP},
                   {".xml", CONTENT_XML},
                   {".json", CONTENT_JSON}};
    const char *dot = strrchr(file_name, '.');
    for (gsize i = 0; dot && i < G_N_ELEMENTS(endings); i++) {
        if (g_ascii_strcasecmp(dot, endings[i].ending) == 0)
            return endings[i].kind;
    }
    return CONTENT_EMPTY;
}

gboolean content_belies_name(enum content_kind kind, const char *file_name)
{
    enum content_kind claimed = claimed_by_name(file_name);
    return content_is_candidate(kind) && claimed != CONTENT_EMPTY && kind != claimed;
}

enum content_kind content_claimed(const char *media_type, const char *file_name)
{
    enum content_kind type = media_type ? claimed_by_type(media_type) : CONTENT_EMPTY;
    enum content_kind name = file_name ? claimed_by_name(file_name) : CONTENT_EMPTY;
    return content_is_candidate(type) ? type : content_is_candidate(name) ? name : CONTENT_OTHER;
}
