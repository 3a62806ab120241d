#include "ingest/unpack.h"
#include "parser/codes.h"
#include "parser/error.h"
#include "tests/unit/pack.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define XML "<feedback>one</feedback>"

/* What came out, as one text: "LABEL kind:CONTENT" for a document, "<ERROR" behind it when its reader failed,
 * "LABEL !CODE" for a refusal; rows end in "; ". */
struct collector {
    GString *text;
    GString *details; /* of refusals and errors */
    gsize piece;      /* read so many bytes at a time */
    guint64 bytes;
    gboolean quiet; /* only count */
};

static const char *const kinds[] = {
    [CONTENT_EMPTY] = "empty",       [CONTENT_XML] = "xml",     [CONTENT_JSON] = "json",
    [CONTENT_GZIP] = "gzip",         [CONTENT_ZIP] = "zip",     [CONTENT_OLE] = "ole",
    [CONTENT_TNEF] = "tnef",         [CONTENT_PKCS7] = "pkcs7", [CONTENT_OTHER_ARCHIVE] = "archive",
    [CONTENT_FEEDBACK] = "feedback", [CONTENT_MAIL] = "mail",   [CONTENT_OTHER] = "other"};

static const char *error_word(const GError *error)
{
    return g_error_matches(error, WS_ERROR, WS_ERROR_TRUNCATED)  ? "truncated"
           : g_error_matches(error, WS_ERROR, WS_ERROR_CHECKSUM) ? "crc"
           : g_error_matches(error, WS_ERROR, WS_ERROR_DATA)     ? "data"
           : g_error_matches(error, WS_ERROR, WS_ERROR_LIMIT)    ? "limit"
                                                                 : "other";
}

static gboolean on_document(void *self, const struct unpacked *document, GError **error)
{
    (void)error;
    struct collector *collector = self;
    char buf[65536];
    gssize got;
    g_autoptr(GError) failure = NULL;
    g_string_append_printf(collector->text, "%s %s:", document->label, kinds[document->kind]);
    while ((got = document->reader.read(document->reader.self, buf, MIN(collector->piece, sizeof buf),
                                        &failure)) > 0) {
        collector->bytes += (guint64)got;
        if (!collector->quiet)
            g_string_append_len(collector->text, buf, got);
    }
    g_assert_cmpint(got < 0, ==, failure != NULL);
    if (failure) {
        g_string_append_printf(collector->text, "<%s", error_word(failure));
        g_string_append_printf(collector->details, "%s; ", failure->message);
        /* It stays so. */
        g_assert_cmpint(document->reader.read(document->reader.self, buf, 1, NULL), ==, -1);
    }
    g_string_append(collector->text, "; ");
    return TRUE;
}

static gboolean on_refusal(void *self, const char *label, const char *code, const char *detail,
                           GError **error)
{
    (void)error;
    struct collector *collector = self;
    g_assert_nonnull(detail);
    g_assert_nonnull(code_find(code));
    g_string_append_printf(collector->text, "%s !%s; ", label, code);
    g_string_append_printf(collector->details, "%s; ", detail);
    return TRUE;
}

static struct collector collector_new(gsize piece)
{
    return (struct collector){.text = g_string_new(NULL), .details = g_string_new(NULL), .piece = piece};
}

static void collector_clear(struct collector *collector)
{
    g_string_free(collector->text, TRUE);
    g_string_free(collector->details, TRUE);
}

static struct blob *blob_of(const guint8 *data, gsize n, gboolean in_file)
{
    if (!in_file) {
        g_autoptr(GBytes) bytes = g_bytes_new(data, n);
        return blob_new_bytes(bytes);
    }
    int fd = open(g_get_tmp_dir(), O_TMPFILE | O_RDWR, 0600);
    g_assert_cmpint(write(fd, data, n), ==, (gssize)n);
    struct blob *blob = blob_new_fd(fd, 0, n, NULL);
    close(fd);
    return blob;
}

static void walk(const guint8 *data, gsize n, gboolean in_file, const struct limits *limits,
                 struct collector *collector)
{
    g_autoptr(GError) error = NULL;
    guint64 budget = limits->unpacked_total;
    struct blob *blob = blob_of(data, n, in_file);
    gboolean ok =
        unpack_walk(blob, "a", "a.xml.gz", limits, &budget, on_document, on_refusal, collector, &error);
    g_assert_no_error(error);
    g_assert_true(ok);
    g_assert_cmpuint(budget, <=, limits->unpacked_total);
    blob_unref(blob);
}

/* The same result from memory and from a file, whatever the size of the reads. Frees the data. */
static void check(const char *name, GByteArray *data, const char *expected)
{
    static const gsize pieces[] = {1, 7, 65536};
    for (gsize i = 0; i < 2 * G_N_ELEMENTS(pieces); i++) {
        struct collector collector = collector_new(pieces[i / 2]);
        walk(data->data, data->len, i % 2 == 1, &limits_default, &collector);
        if (strcmp(collector.text->str, expected) != 0)
            g_error("%s, %zu at a time: got \"%s\" (%s) instead of \"%s\"", name, pieces[i / 2],
                    collector.text->str, collector.details->str, expected);
        collector_clear(&collector);
    }
    unit_deviation(name, !g_test_failed());
    g_byte_array_unref(data);
}

static GByteArray *bytes_of(const void *data, gsize n)
{
    return g_byte_array_append(g_byte_array_new(), data, (guint)n);
}

static GByteArray *joined(GByteArray *first, const void *data, gsize n)
{
    return g_byte_array_append(first, data, (guint)n);
}

static GByteArray *gzip_of(GByteArray *inner)
{
    GByteArray *out = pack_deflate(inner->data, inner->len, 15 + 16);
    g_byte_array_unref(inner);
    return out;
}

static GByteArray *zip_of(const char *name, GByteArray *inner, guint faults)
{
    struct pack_zip zip = pack_zip_begin();
    pack_zip_add(&zip, name, inner->data, inner->len, faults);
    g_byte_array_unref(inner);
    return pack_zip_end(&zip, TRUE);
}

static void test_plain(void)
{
    check("C9 XML", bytes_of(XML, strlen(XML)), "a xml:" XML "; ");
    check("C9 BOM and blank lines", bytes_of("\xef\xbb\xbf\r\n <?xml?>", 13),
          "a xml:\xef\xbb\xbf\r\n <?xml?>; ");
    check("C32 JSON", bytes_of("{\"a\":1}", 7), "a json:{\"a\":1}; ");
    check("C32 failure report", bytes_of("Feedback-Type: auth-failure\nVersion: 1\n", 39),
          "a feedback:Feedback-Type: auth-failure\nVersion: 1\n; ");
    check("C28 nothing", bytes_of("", 0), "a empty:; ");
    check("C28 blanks", bytes_of(" \r\n", 3), "a empty: \r\n; ");
    check("C27 HTML", bytes_of("<!DOCTYPE html><p>", 18), "a other:<!DOCTYPE html><p>; ");
    check("C27 address", bytes_of("<a@b.example> wrote", 19), "a other:<a@b.example> wrote; ");
    check("text", bytes_of("hello", 5), "a other:hello; ");
    check("mail", bytes_of("From: a@b\nSubject: x\n\nbody", 26), "a mail:From: a@b\nSubject: x\n\nbody; ");
}

static void test_gzip(void)
{
    /* RFC 1952 section 2.3: FEXTRA, FNAME, FCOMMENT, FHCRC left out. */
    static const guint8 flags[] = {0x1f, 0x8b, 8, 0x1c, 0, 0, 0, 0, 0, 3, 2, 0, 'x', 'y', 'n', 0, 'c', 0};
    g_autoptr(GByteArray) bare = pack_deflate(XML, strlen(XML), -15);
    g_autoptr(GByteArray) plain = pack_gzip(XML);
    g_autoptr(GByteArray) rest = pack_gzip("</feedback>");
    GByteArray *named = joined(bytes_of(flags, sizeof flags), bare->data, bare->len);
    check("C2 gzip", pack_gzip(XML), "a xml:" XML "; ");
    check("C3 CR LF behind it", joined(pack_gzip(XML), "\r\n", 2), "a xml:" XML "; ");
    check("C3 zeros behind it", joined(pack_gzip(XML), "\0\0\0\0\0\0\0", 7), "a xml:" XML "; ");
    check("C4 header with all fields", joined(named, plain->data + plain->len - 8, 8), "a xml:" XML "; ");
    check("two members", joined(pack_gzip("<feedback>one"), rest->data, rest->len), "a xml:" XML "; ");
    check("zlib", pack_deflate(XML, strlen(XML), 15), "a xml:" XML "; ");
    check("C30 unused", pack_gzip("unused"), "a !yahoo_unused; ");
    check("C30 unused, with a line end", pack_gzip("unused\n"), "a !yahoo_unused; ");
    check("empty", pack_gzip(""), "a empty:; ");
    check("C15 bare header", bytes_of(plain->data, 10), "a !archive; ");
    check("C15 cut in the trailer", bytes_of(plain->data, plain->len - 3), "a xml:" XML "<truncated; ");
    static const guint8 junk[24] = {0x1f, 0x8b, 8};
    check("C3 junk that begins like a member", joined(pack_gzip(XML), junk, sizeof junk), "a xml:" XML "; ");
    check("second member cut", joined(pack_gzip(XML), plain->data, 10), "a xml:" XML "<truncated; ");
    GByteArray *crc = pack_gzip(XML), *length = pack_gzip(XML), *damaged = pack_gzip(XML);
    crc->data[crc->len - 8] ^= 1;
    length->data[length->len - 4] ^= 1;
    damaged->data[10] = 0xff;
    check("wrong CRC", crc, "a xml:" XML "<crc; ");
    check("wrong length", length, "a xml:" XML "<crc; ");
    check("damaged at once", damaged, "a !archive; ");
}

static void test_nested(void)
{
    check("C10 gzip in gzip", gzip_of(pack_gzip(XML)), "a xml:" XML "; ");
    check("C11 gzip in zip", zip_of("b.gz", pack_gzip(XML), 0), "a / b.gz xml:" XML "; ");
    check("C11 zip in gzip", gzip_of(pack_zip("b.xml", XML, 0)), "a / b.xml xml:" XML "; ");
    check("C11 zip in zip in zip", zip_of("1.zip", zip_of("2.zip", pack_zip("b.xml", XML, 0), 0), 0),
          "a / 1.zip / 2.zip / b.xml xml:" XML "; ");
    check("C11 four deep", gzip_of(gzip_of(gzip_of(pack_gzip(XML)))), "a !nesting; ");
    check("C10 three deep", gzip_of(gzip_of(pack_gzip(XML))), "a xml:" XML "; ");
}

static void test_zip(void)
{
    struct pack_zip several = pack_zip_begin();
    pack_zip_add(&several, "folder/", "", 0, PACK_STORED);
    pack_zip_add(&several, "../x/a.xml", XML, strlen(XML), 0);
    pack_zip_add(&several, "__MACOSX/._a.xml", "litter", 6, 0);
    pack_zip_add(&several, "x/.DS_Store", "litter", 6, 0);
    pack_zip_add(&several, "readme.txt", "read me", 7, PACK_STORED);
    check("C1 zip", pack_zip("a.xml", XML, 0), "a / a.xml xml:" XML "; ");
    check("C12 C13 folders, several members, litter", pack_zip_end(&several, TRUE),
          "a / ../x/a.xml xml:" XML "; a / readme.txt other:read me; ");
    check("C14 stored", pack_zip("a.xml", XML, PACK_STORED), "a / a.xml xml:" XML "; ");
    check("C14 descriptor", pack_zip("a.xml", XML, PACK_DESCRIPTOR), "a / a.xml xml:" XML "; ");
    check("C14 stored with descriptor", pack_zip("a.xml", XML, PACK_STORED | PACK_DESCRIPTOR),
          "a / a.xml xml:" XML "; ");
    check("C14 zip64", pack_zip("a.xml", XML, PACK_ZIP64), "a / a.xml xml:" XML "; ");
    check("C14 encrypted", pack_zip("a.xml", XML, PACK_ENCRYPTED), "a / a.xml !zip_method; ");
    check("C14 bzip2 inside", pack_zip("a.xml", XML, PACK_BZIP2), "a / a.xml !zip_method; ");
    check("wrong CRC", pack_zip("a.xml", XML, PACK_BAD_CRC), "a / a.xml xml:" XML "<crc; ");
    check("wrong CRC, stored", pack_zip("a.xml", XML, PACK_BAD_CRC | PACK_STORED),
          "a / a.xml xml:" XML "<crc; ");
    check("C30 unused", pack_zip("a.xml", "unused", 0), "a / a.xml !yahoo_unused; ");
    check("C8 name in UTF-8", pack_zip("gr\xc3\xbc\xc3\x9f.xml", XML, 0),
          "a / gr\xc3\xbc\xc3\x9f.xml xml:" XML "; ");
    check("C8 name with controls", pack_zip("a\x1b[2J.xml", XML, 0), "a / a\\x1b[2J.xml xml:" XML "; ");
    struct pack_zip none = pack_zip_begin(), folder = pack_zip_begin(), torn = pack_zip_begin();
    pack_zip_add(&folder, "folder/", "", 0, PACK_STORED);
    pack_zip_add(&torn, "a.xml", XML, strlen(XML), 0);
    check("C15 empty zip", pack_zip_end(&none, TRUE), "a !archive; ");
    check("C15 only a folder", pack_zip_end(&folder, TRUE), "a !archive; ");
    check("C15 without its directory", pack_zip_end(&torn, FALSE), "a / a.xml xml:" XML "; a !archive; ");
    /* Cut in the last bytes, and before the descriptor. */
    struct pack_zip cut = pack_zip_begin(), streamed = pack_zip_begin();
    pack_zip_add(&cut, "a.xml", XML "\n", strlen(XML) + 1, 0);
    g_byte_array_set_size(cut.out, cut.out->len - 1);
    check("C15 cut in the last byte", pack_zip_end(&cut, FALSE), "a / a.xml xml:" XML "<truncated; ");
    pack_zip_add(&streamed, "a.xml", XML, strlen(XML), PACK_DESCRIPTOR);
    check("C15 streamed, without its directory", pack_zip_end(&streamed, FALSE),
          "a / a.xml xml:" XML "<truncated; ");
    /* Cut anywhere in the descriptor of 16 bytes, too. */
    for (guint missing = 1; missing <= 16; missing++) {
        struct pack_zip shorter = pack_zip_begin();
        pack_zip_add(&shorter, "a.xml", XML, strlen(XML), PACK_DESCRIPTOR);
        g_byte_array_set_size(shorter.out, shorter.out->len - missing);
        check("C15 streamed, and cut behind the data", pack_zip_end(&shorter, FALSE),
              "a / a.xml xml:" XML "<truncated; ");
    }
    check("C15 nothing but the magic", bytes_of("PK\x03\x04", 4), "a !archive; ");
}

/* Encrypted, odd and damaged members do not cost the others, with and without a directory. */
static void test_zip_neighbours(void)
{
    struct pack_zip zip = pack_zip_begin();
    pack_zip_add(&zip, "1.xml", XML, strlen(XML), PACK_ENCRYPTED);
    pack_zip_add(&zip, "2.xml", XML, strlen(XML), PACK_BZIP2);
    pack_zip_add(&zip, "3.xml", XML, strlen(XML), 0);
    check("refused ones in front", pack_zip_end(&zip, TRUE),
          "a / 1.xml !zip_method; a / 2.xml !zip_method; a / 3.xml xml:" XML "; ");
    g_autoptr(GString) text = g_string_new("<feedback>");
    for (guint i = 0; i < 2000; i++)
        g_string_append_printf(text, "<record>%u</record>", i * 7919);
    for (guint directory = 0; directory < 2; directory++) {
        struct pack_zip damaged = pack_zip_begin();
        pack_zip_add(&damaged, "1.xml", text->str, text->len, 0);
        gsize middle = damaged.out->len / 2;
        pack_zip_add(&damaged, "2.xml", XML, strlen(XML), 0);
        GByteArray *data = pack_zip_end(&damaged, directory == 1);
        memset(data->data + middle, 0xff, 40);
        struct collector collector = collector_new(1000);
        walk(data->data, data->len, FALSE, &limits_default, &collector);
        g_assert_true(g_str_has_prefix(collector.text->str, "a / 1.xml xml:<feedback><record>0</record>"));
        g_assert_nonnull(strstr(collector.text->str, "<data; a / 2.xml xml:" XML "; "));
        /* Nearly all that stands before the damage. */
        g_assert_cmpuint(collector.bytes, >, text->len * 2 / 5);
        collector_clear(&collector);
        g_byte_array_unref(data);
    }
}

static void test_refused_kinds(void)
{
    static const guint8 opaque[] = {0x30, 0x80, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
                                    0x01, 0x07, 0x02, 0xa0, 0x80, 0x30, 0x80, 0x02, 0x01, 0x01,
                                    0x31, 0x00, 0x30, 0x80, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                    0xf7, 0x0d, 0x01, 0x07, 0x01, 0xa0, 0x80, 0x24, 0x80};
    guint8 tar[512] = "a.xml";
    memcpy(tar + 257, "ustar", 5);
    GByteArray *signature = bytes_of(opaque, sizeof opaque);
    signature->data[35] = 0; /* end of contents where the content would be */
    signature->data[36] = 0;
    check("C20 Outlook message", bytes_of("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1...", 11), "a !msg_ole; ");
    check("C21 TNEF", bytes_of("\x78\x9f\x3e\x22\x01\x00", 6), "a !tnef; ");
    check("C22 signed as a whole", bytes_of(opaque, sizeof opaque), "a !smime; ");
    check("C23 tar", bytes_of(tar, sizeof tar), "a !archive_type; ");
    check("C23 tar in gzip", gzip_of(bytes_of(tar, sizeof tar)), "a !archive_type; ");
    check("C23 7z", bytes_of("7z\xbc\xaf\x27\x1c....", 10), "a !archive_type; ");
    check("C23 rar", bytes_of("Rar!\x1a\x07\x01\x00", 8), "a !archive_type; ");
    check("C23 bzip2", bytes_of("BZh91AY&SY", 10), "a !archive_type; ");
    check("C23 xz",
          bytes_of("\xfd"
                   "7zXZ\0\0",
                   7),
          "a !archive_type; ");
    check("C23 zstd", bytes_of("\x28\xb5\x2f\xfd....", 8), "a !archive_type; ");
    enum content_kind kind = content_sniff(signature->data, signature->len, NULL);
    g_assert_cmpint(kind, ==, CONTENT_OTHER);
    g_byte_array_unref(signature);
}

/* A small archive, cut at each offset, comes to an end, and what comes out is the start of what was packed.
 */
static void check_cuts(GByteArray *data, const char *label)
{
    g_autofree char *start = g_strconcat(label, " xml:", NULL);
    for (guint n = 0; n < data->len; n++) {
        struct collector collector = collector_new(64);
        walk(data->data, n, n % 2 == 1, &limits_default, &collector);
        const char *found = strstr(collector.text->str, start);
        if (found) {
            const char *ends[] = {"<truncated; ", "<data; ", "<crc; ", "; "},
                       *content = found + strlen(start), *end = NULL;
            for (gsize i = 0; i < G_N_ELEMENTS(ends) && !end; i++)
                end = strstr(content, ends[i]);
            g_assert_nonnull(end);
            g_assert_cmpuint((gsize)(end - content), <=, strlen(XML));
            g_assert_true(strncmp(content, XML, (gsize)(end - content)) == 0);
        }
        g_assert_cmpuint(collector.text->len, >, 0);
        collector_clear(&collector);
    }
    g_byte_array_unref(data);
}

static void test_cuts(void)
{
    check_cuts(pack_gzip(XML), "a");
    check_cuts(pack_zip("a.xml", XML, 0), "a / a.xml");
    check_cuts(pack_zip("a.xml", XML, PACK_STORED | PACK_DESCRIPTOR), "a / a.xml");
    check_cuts(zip_of("b.gz", pack_gzip(XML), 0), "a / b.gz");
    check_cuts(gzip_of(pack_zip("b.xml", XML, 0)), "a / b.xml");
}

/* One byte wrong, at each place: no crash, no endless loop, and a document is either right or its reader
 * complains. */
static void test_flips(void)
{
    g_autoptr(GByteArray) gzip = pack_gzip(XML), zip = pack_zip("a.xml", XML, 0);
    GByteArray *both[] = {gzip, zip};
    for (gsize i = 0; i < G_N_ELEMENTS(both); i++) {
        for (guint at = 0; at < both[i]->len; at++) {
            struct collector collector = collector_new(64);
            both[i]->data[at] ^= 0x55;
            walk(both[i]->data, both[i]->len, FALSE, &limits_default, &collector);
            both[i]->data[at] ^= 0x55;
            const char *document = strstr(collector.text->str, " xml:");
            if (document && !strchr(document, '!'))
                g_assert_true(strstr(document, ":" XML "; ") || strstr(document, "<data; ") ||
                              strstr(document, "<crc; ") || strstr(document, "<truncated; "));
            collector_clear(&collector);
        }
    }
}

struct limit_case {
    const char *name;
    guint64 value, enough;
    const char *expected; /* starts so */
};

/* Each limit, lowered under what the archive needs, is named; at what it needs nothing is said. */
static void test_limits(void)
{
    static const struct limit_case cases[] = {
        {"unpacked_size", 23, 24, "limit unpacked_size: more than 23 unpacked bytes of one member"},
        {"unpacked_total", 131072, 150000,
         "limit unpacked_total: more than 131072 unpacked bytes of one mail"},
        {"unpack_depth", 1, 2, "limit unpack_depth: more than 1 archives inside of each other"},
        {"unpack_members", 1, 2, "limit unpack_members: more than 1 members"},
        {"attachment_size", 60, 300, "limit attachment_size: more than 60 bytes"},
    };
    g_autoptr(GByteArray) data = gzip_of(pack_zip("a.xml", XML, 0));
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (guint pass = 0; pass < 2; pass++) {
            struct limits limits = limits_default;
            limits.unpacked_size = 1000;
            g_assert_true(limits_set(&limits, cases[i].name, pass ? cases[i].enough : cases[i].value));
            struct collector collector = collector_new(100);
            /* the inner zip passes through the outer member's limit, too */
            if (strcmp(cases[i].name, "unpacked_size") == 0) {
                g_autoptr(GByteArray) single = pack_gzip(XML);
                walk(single->data, single->len, FALSE, &limits, &collector);
            } else {
                walk(data->data, data->len, FALSE, &limits, &collector);
            }
            if (pass)
                g_assert_cmpstr(collector.details->str, ==, "");
            else if (!g_str_has_prefix(collector.details->str, cases[i].expected))
                g_error("%s: got \"%s\"", cases[i].name, collector.details->str);
            collector_clear(&collector);
        }
    }
}

/* What is left of a mail's budget bounds the bytes, too, not only the members. */
static void test_budget(void)
{
    g_autoptr(GByteArray) data = pack_gzip(XML);
    for (guint spare = 0; spare < 2; spare++) {
        struct collector collector = collector_new(5);
        g_autoptr(GError) error = NULL;
        struct blob *blob = blob_of(data->data, data->len, FALSE);
        guint64 budget = 65536 + strlen(XML) - 1 + spare;
        g_assert_true(unpack_walk(blob, "a", NULL, &limits_default, &budget, on_document, on_refusal,
                                  &collector, &error));
        g_assert_no_error(error);
        g_assert_cmpint(g_str_has_prefix(collector.details->str, "limit unpacked_total: "), ==, spare == 0);
        g_assert_cmpuint(budget, <, 65536);
        blob_unref(blob);
        collector_clear(&collector);
    }
}

static long peak_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* `copies` gzip members of a megabyte of zeros each. */
static GByteArray *zeros(guint copies)
{
    g_autofree char *block = g_malloc0(1024 * 1024);
    g_autoptr(GByteArray) member = pack_deflate(block, 1024 * 1024, 15 + 16);
    GByteArray *out = g_byte_array_new();
    for (guint i = 0; i < copies; i++)
        g_byte_array_append(out, member->data, member->len);
    return out;
}

static void check_bomb(GByteArray *data, const char *expected)
{
    struct collector collector = collector_new(65536);
    collector.quiet = TRUE;
    long before = peak_kib();
    clock_t start = clock();
    walk(data->data, data->len, FALSE, &limits_default, &collector);
    g_assert_cmpfloat((double)(clock() - start) / CLOCKS_PER_SEC, <, 10.0);
    g_assert_nonnull(strstr(collector.details->str, expected));
#ifndef __SANITIZE_ADDRESS__
    g_assert_cmpint(peak_kib() - before, <, 16 * 1024);
#endif
    (void)before;
    collector_clear(&collector);
    g_byte_array_unref(data);
}

static void test_bombs(void)
{
    check_bomb(zeros(500), "limit unpack_ratio: ");
    check_bomb(gzip_of(zeros(10000)), "limit unpack_ratio: ");
    GByteArray *bomb = zeros(300);
    struct pack_zip zip = pack_zip_begin();
    for (guint i = 0; i < 5; i++) {
        g_autofree char *name = g_strdup_printf("%u.gz", i);
        pack_zip_add(&zip, name, bomb->data, bomb->len, PACK_STORED);
    }
    g_byte_array_unref(bomb);
    check_bomb(pack_zip_end(&zip, TRUE), "limit unpack_ratio: ");
    unit_deviation("C33", !g_test_failed());
}

/* Many empty members: bounded, though not a byte comes out. */
static void test_many_members(void)
{
    struct pack_zip zip = pack_zip_begin();
    for (guint i = 0; i < 3000; i++)
        pack_zip_add(&zip, "x", "", 0, PACK_STORED);
    for (guint directory = 0; directory < 2; directory++) {
        struct pack_zip copy = {.out = bytes_of(zip.out->data, zip.out->len),
                                .directory = bytes_of(zip.directory->data, zip.directory->len),
                                .count = zip.count};
        g_autoptr(GByteArray) data = pack_zip_end(&copy, directory == 1);
        struct collector collector = collector_new(64);
        walk(data->data, data->len, FALSE, &limits_default, &collector);
        g_assert_true(g_str_has_suffix(collector.text->str, "a !limit; "));
        g_assert_cmpstr(collector.details->str, ==, "limit unpack_members: more than 1000 members; ");
        collector_clear(&collector);
    }
    g_byte_array_unref(pack_zip_end(&zip, FALSE));
}

/* Codes that look back behind the start find nothing that was in memory before: what is broken is the same
 * each time. */
static void test_broken_codes(void)
{
    static const char packed[] = "H4sIAAAAAAACA+VXwXKbMBA9t1/B+B6BsB3bMwrpqV/QHnpiZLGAapAUSdhOvr4iECzixpOOE2"
                                 "fanq8tNfKZS27PE7T2itlpidA6s9w=";
    GBytes *told[2];
    gsize n;
    g_autofree guint8 *data = g_base64_decode(packed, &n);
    for (guint i = 0; i < 2; i++) {
        struct collector collector = collector_new(64);
        mallopt(M_PERTURB, i ? 165 : 1);
        walk(data, n, FALSE, &limits_default, &collector);
        mallopt(M_PERTURB, 0);
        told[i] = g_bytes_new(collector.text->str, collector.text->len);
        collector_clear(&collector);
    }
    g_assert_true(g_bytes_equal(told[0], told[1]));
    g_bytes_unref(told[0]);
    g_bytes_unref(told[1]);
}

static gboolean stop(void *self, const struct unpacked *document, GError **error)
{
    (void)document;
    ++*(guint *)self;
    g_set_error(error, WS_ERROR, WS_ERROR_DB_DOWN, "stopped");
    return FALSE;
}

/* The callback's error ends the walk and comes back as it is. */
static void test_stop(void)
{
    struct pack_zip zip = pack_zip_begin();
    pack_zip_add(&zip, "1", XML, strlen(XML), 0);
    pack_zip_add(&zip, "2", XML, strlen(XML), 0);
    g_autoptr(GByteArray) data = pack_zip_end(&zip, TRUE);
    struct blob *blob = blob_of(data->data, data->len, FALSE);
    g_autoptr(GError) error = NULL;
    guint64 budget = limits_default.unpacked_total;
    guint calls = 0;
    g_assert_false(unpack_walk(blob, "a", NULL, &limits_default, &budget, stop, on_refusal, &calls, &error));
    g_assert_error(error, WS_ERROR, WS_ERROR_DB_DOWN);
    g_assert_cmpuint(calls, ==, 1);
    blob_unref(blob);
}

int main(int argc, char **argv)
{
    (void)argc;
    unit_init(argv[0]);
    g_test_add_func("/unpack/plain", test_plain);
    g_test_add_func("/unpack/gzip", test_gzip);
    g_test_add_func("/unpack/zip", test_zip);
    g_test_add_func("/unpack/zip-neighbours", test_zip_neighbours);
    g_test_add_func("/unpack/nested", test_nested);
    g_test_add_func("/unpack/refused", test_refused_kinds);
    g_test_add_func("/unpack/cuts", test_cuts);
    g_test_add_func("/unpack/flips", test_flips);
    g_test_add_func("/unpack/limits", test_limits);
    g_test_add_func("/unpack/budget", test_budget);
    g_test_add_func("/unpack/bombs", test_bombs);
    g_test_add_func("/unpack/many-members", test_many_members);
    g_test_add_func("/unpack/broken-codes", test_broken_codes);
    g_test_add_func("/unpack/stop", test_stop);
    return g_test_run();
}
