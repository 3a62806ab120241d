#include "ingest/content.h"
#include "ingest/message.h"
#include "parser/error.h"
#include "tests/unit/pack.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <unistd.h>

#define XML "<feedback>one</feedback>"
#define HEAD "From: a@b.example\nSubject: x\n"
#define MIXED HEAD "Content-Type: multipart/mixed; boundary=b\n\n"

/* Archives that templates name: @GZ@ and @ZIP@ as they are, @gz@ and @zip@ in base64 with lines, @GZ1@ in one
 * line. */
static GByteArray *gzip, *zip;
static char *gzip_lines, *zip_lines, *gzip_line;

struct collector {
    GString *text; /* "LABEL=CONTENT" for a leaf, "LABEL!CODE" for a refusal; rows end in "; " */
    GString *details, *notes, *names, *types;
};

/* An archive as a word, with how many bytes there are behind it. */
static gboolean describe(GString *text, const char *word, const GByteArray *known, const guint8 *data,
                         gsize n)
{
    if (n < known->len || memcmp(data, known->data, known->len) != 0)
        return FALSE;
    g_string_append(text, word);
    if (n > known->len)
        g_string_append_printf(text, "+%zu", n - known->len);
    return TRUE;
}

static gboolean on_part(void *self, const struct message_part *part, GError **error)
{
    struct collector *collector = self;
    gsize size = (gsize)blob_size(part->content), have = 0;
    g_autofree guint8 *data = g_malloc(size + 1);
    while (have < size) {
        gssize got = blob_read(part->content, have, data + have, size - have, error);
        g_assert_cmpint(got, >, 0);
        have += (gsize)got;
    }
    g_string_append_printf(collector->text, "%s=", part->label);
    if (!describe(collector->text, "gzip", gzip, data, size) &&
        !describe(collector->text, "zip", zip, data, size))
        g_string_append_len(collector->text, (const char *)data, (gssize)MIN(size, 2000));
    g_string_append(collector->text, "; ");
    g_string_append_printf(collector->notes, "%s; ", part->note ? part->note : "-");
    g_string_append_printf(collector->names, "%s; ", part->file_name ? part->file_name : "-");
    g_string_append_printf(collector->types, "%s; ", part->media_type ? part->media_type : "-");
    return TRUE;
}

static gboolean on_refusal(void *self, const char *label, const char *code, const char *detail,
                           GError **error)
{
    (void)error;
    struct collector *collector = self;
    g_string_append_printf(collector->text, "%s!%s; ", label, code);
    g_string_append_printf(collector->details, "%s; ", detail);
    return TRUE;
}

static struct collector collector_new(void)
{
    return (struct collector){g_string_new(NULL), g_string_new(NULL), g_string_new(NULL), g_string_new(NULL),
                              g_string_new(NULL)};
}

static void collector_clear(struct collector *collector)
{
    g_string_free(collector->text, TRUE);
    g_string_free(collector->details, TRUE);
    g_string_free(collector->notes, TRUE);
    g_string_free(collector->names, TRUE);
    g_string_free(collector->types, TRUE);
}

/* In the middle of a file, so that offsets are worth something. */
static struct blob *blob_of(const void *data, gsize n, gboolean in_file)
{
    if (!in_file) {
        g_autoptr(GBytes) bytes = g_bytes_new(data, n);
        return blob_new_bytes(bytes);
    }
    int fd = open(g_get_tmp_dir(), O_TMPFILE | O_RDWR, 0600);
    g_assert_cmpint(write(fd, "From: wrong\n\n--b\n", 17), ==, 17);
    g_assert_cmpint(write(fd, data, n), ==, (gssize)n);
    g_assert_cmpint(write(fd, "\n--b\nwrong", 10), ==, 10);
    struct blob *blob = blob_new_fd(fd, 17, n, NULL);
    close(fd);
    return blob;
}

static gboolean walk(const void *data, gsize n, gboolean in_file, const struct limits *limits,
                     struct collector *collector, struct message_head *head, GError **error)
{
    struct blob *blob = blob_of(data, n, in_file);
    struct message_head own;
    gboolean ok = message_walk(blob, limits, head ? head : &own, on_part, on_refusal, collector, error);
    if (!head)
        message_head_clear(&own);
    blob_unref(blob);
    return ok;
}

static void append_word(GString *out, const char **template, gboolean crlf)
{
    static const struct {
        const char *word;
        char **text;
    } words[] = {{"@gz@", &gzip_lines}, {"@zip@", &zip_lines}, {"@GZ1@", &gzip_line}};
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        if (g_str_has_prefix(*template, words[i].word)) {
            g_string_append(out, *words[i].text);
            *template += strlen(words[i].word);
            return;
        }
    }
    const GByteArray *raw = g_str_has_prefix(*template, "@GZ@")    ? gzip
                            : g_str_has_prefix(*template, "@ZIP@") ? zip
                                                                   : NULL;
    if (raw) {
        g_string_append_len(out, (const char *)raw->data, raw->len);
        *template = strchr(*template + 1, '@') + 1;
        return;
    }
    if (crlf && **template == '\n')
        g_string_append_c(out, '\r');
    g_string_append_c(out, *(*template)++);
}

static GString *fill(const char *template, gboolean crlf)
{
    GString *out = g_string_new(NULL);
    while (*template)
        append_word(out, &template, crlf);
    return out;
}

struct vector {
    const char *name, *mail, *expected, *notes;
};

static const struct vector vectors[] = {
    {"C1 the body is the zip",
     HEAD "Content-Type: application/zip; name=r.zip\nContent-Transfer-Encoding: base64\n\n@zip@",
     "part 1 / r.zip=zip; ", "-; "},
    {"C2 the body is the gzip",
     HEAD "Content-Type: application/gzip\nContent-Transfer-Encoding: base64\n\n@gz@", "part 1=gzip; ",
     "-; "},
    {"C5 gzip typed text/plain",
     MIXED "--b\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n@gz@\n--b--\n",
     "part 1=gzip; ", "-; "},
    {"C5 gzip typed multipart/alternative without boundary",
     MIXED "--b\n\nhello\n--b\nContent-Type: multipart/alternative\nContent-Transfer-Encoding: "
           "base64\n\n@gz@\n--b--\n",
     "part 1=hello; part 2=gzip; ", "-; mime; "},
    {"C7 no name at all",
     MIXED "--b\nContent-Type: application/gzip\nContent-Transfer-Encoding: base64\n\n@gz@\n--b--\n",
     "part 1=gzip; ", "-; "},
    {"C7 two names",
     MIXED "--b\nContent-Type: application/gzip; name=one.gz\nContent-Disposition: attachment;\n"
           " filename=two.gz\nContent-Transfer-Encoding: base64\n\n@gz@\n--b--\n",
     "part 1 / two.gz=gzip; ", "-; "},
    {"C8 name in RFC 2231 pieces",
     MIXED "--b\nContent-Type: application/octet-stream\nContent-Disposition: attachment;\n"
           " filename*0=a.example!b.ex; filename*1=ample!1!2.xml.gz\nContent-Transfer-Encoding: "
           "base64\n\n@gz@\n--b--\n",
     "part 1 / a.example!b.example!1!2.xml.gz=gzip; ", "-; "},
    {"C8 name in RFC 2047",
     MIXED "--b\nContent-Type: application/zip; name=\"=?utf-8?B?csO8Lnppcw==?=\"\n"
           "Content-Transfer-Encoding: base64\n\n@zip@\n--b--\n",
     "part 1 / r\xc3\xbc.zis=zip; ", "-; "},
    {"C8 name that starts with an exclamation mark",
     MIXED "--b\nContent-Type: application/zip; name=!b.example!1!2.zip\n"
           "Content-Transfer-Encoding: base64\n\n@zip@\n--b--\n",
     "part 1 / !b.example!1!2.zip=zip; ", "-; "},
    {"C8 name with an escape sequence",
     MIXED "--b\nContent-Disposition: attachment; filename=\"a\x1b[2J.zip\"\n"
           "Content-Transfer-Encoding: base64\n\n@zip@\n--b--\n",
     "part 1 / a\\x1b[2J.zip=zip; ", "-; "},
    {"C9 XML in the body", HEAD "Content-Type: text/xml\n\n" XML "\n", "part 1=" XML "\n; ", "-; "},
    {"C9 XML inline, quoted-printable",
     MIXED "--b\nContent-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n"
           "<feed=\nback a=3D'1'/>\n--b--\n",
     "part 1=<feedback a='1'/>; ", "-; "},
    {"C16 two reports",
     MIXED "--b\nContent-Transfer-Encoding: base64\n\n@gz@\n--b\nContent-Transfer-Encoding: "
           "base64\n\n@zip@\n--b--\n",
     "part 1=gzip; part 2=zip; ", "-; -; "},
    {"C17 zip and XML in an alternative",
     MIXED "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\n" XML
           "\n--c\nContent-Transfer-Encoding: base64\n\n@zip@\n--c--\n--b--\n",
     "part 1.1=" XML "; part 1.2=zip; ", "-; -; "},
    {"C18 message/rfc822",
     MIXED "--b\n\nsee below\n--b\nContent-Type: message/rfc822\n\n" HEAD
           "Content-Type: application/zip; name=r.zip\nContent-Transfer-Encoding: base64\n\n@zip@\n--b--\n",
     "part 1=see below; part 2 / message / part 1 / r.zip=zip; ", "-; -; "},
    {"C18 message/rfc822 twice",
     MIXED "--b\nContent-Type: message/rfc822\n\n" HEAD "Content-Type: message/rfc822\n\n" HEAD
           "Content-Transfer-Encoding: base64\n\n@gz@\n--b--\n",
     "part 1 / message / part 1 / message / part 1=gzip; ", "-; "},
    {"C18 message/rfc822 in base64",
     MIXED "--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
           "RnJvbTogYUBiLmV4YW1wbGUKU3ViamVjdDogeAoKPGZlZWRiYWNrLz4=\n--b--\n",
     "part 1=From: a@b.example\nSubject: x\n\n<feedback/>; part 1 / message / part 1=<feedback/>; ",
     "-; -; "},
    {"C19 forwarded inline",
     MIXED "--b\n\nFW: see the report\n> From: x\n--b\nContent-Transfer-Encoding: base64\n\n@gz@\n--b--\n",
     "part 1=FW: see the report\n> From: x; part 2=gzip; ", "-; -; "},
    {"C22 multipart/signed",
     HEAD "Content-Type: multipart/signed; micalg=sha-256; protocol=\"application/pkcs7-signature\"; "
          "boundary=s\n\n"
          "--s\nContent-Type: application/gzip\nContent-Transfer-Encoding: "
          "base64\n\n@gz@\n--s\nContent-Type: application/pkcs7-signature\n\nsig\n--s--\n",
     "part 1=gzip; part 2=sig; ", "-; -; "},
    {"C24 gzip in binary", MIXED "--b\nContent-Transfer-Encoding: binary\n\n@GZ@\n--b--\n", "part 1=gzip; ",
     "-; "},
    {"C24 gzip in 8bit, declared as quoted-printable",
     MIXED "--b\nContent-Transfer-Encoding: quoted-printable\n\n@GZ@\n--b--\n", "part 1=gzip; ", "cte; "},
    {"C25 one giant line", MIXED "--b\nContent-Transfer-Encoding: base64\n\n@GZ1@\n--b--\n", "part 1=gzip; ",
     "-; "},
    {"C25 junk behind the padding",
     MIXED "--b\nContent-Transfer-Encoding: base64\n\n@gz@\n\n-- \nScanned\n--b--\n", "part 1=gzip+5; ",
     "-; "},
    {"C25 encoding with a semicolon", MIXED "--b\nContent-Transfer-Encoding: Base64;\n\n@gz@\n--b--\n",
     "part 1=gzip; ", "-; "},
    {"C26 base64 declared as 7bit", MIXED "--b\nContent-Transfer-Encoding: 7bit\n\n@zip@\n--b--\n",
     "part 1=zip; ", "cte; "},
    {"C26 base64 declared as nothing", HEAD "\n@gz@", "part 1=gzip; ", "cte; "},
    {"C26 XML declared as base64", MIXED "--b\nContent-Transfer-Encoding: base64\n\n" XML "\n--b--\n",
     "part 1=" XML "; ", "cte; "},
    {"C26 prose of letters only", HEAD "\nhello\nworld\n", "part 1=hello\nworld\n; ", "-; "},
    {"C27 banner, HTML and an image around it",
     MIXED "--b\nContent-Type: multipart/related; boundary=c\n\n--c\nContent-Type: text/html\n\n"
           "<html>External\n--c\nContent-Type: image/png\nContent-Transfer-Encoding: "
           "base64\n\niVBORw0K\n--c--\n--b\n"
           "Content-Transfer-Encoding: base64\n\n@zip@\n--b--\n",
     "part 1.1=<html>External; part 1.2=\x89PNG\r\n; part 2=zip; ", "-; -; -; "},
    {"C28 ContentType without hyphen",
     HEAD "ContentType: application/zip\nContent-Transfer-Encoding: base64\n\n@zip@", "part 1=zip; ", "-; "},
    {"C28 ContentType of the multipart without hyphen",
     HEAD "ContentType: multipart/mixed; boundary=b\n\n--b\n"
          "Content-Transfer-Encoding: base64\n\n@gz@\n--b--\n",
     "part 1=*; part 1 / base64 in the text=gzip; ", "-; mime; "},
    {"C28 trailing semicolon",
     MIXED "--b\nContent-Type: application/gzip;\nContent-Disposition: attachment; filename=r.gz;\n"
           "Content-Transfer-Encoding: base64\n\n@gz@\n--b--\n",
     "part 1 / r.gz=gzip; ", "-; "},
    {"C28 parts without header, empty parts", MIXED "--b\n\n--b\n\n\n--b\n\n" XML "\n--b--\n",
     "part 1=; part 2=; part 3=" XML "; ", "-; -; -; "},
    {"C28 part without header and blank line", MIXED "--b\n@gz@\n--b--\n",
     "part 1=; base64 in the text=gzip; ", "-; mime; "},
    {"C29 no closing boundary", MIXED "--b\nContent-Transfer-Encoding: base64\n\n@gz@", "part 1=gzip; ",
     "-; "},
    {"C29 boundary never found, base64", HEAD "Content-Type: multipart/mixed; boundary=x\n\n@gz@",
     "part 0=gzip; ", "cte; "},
    {"C29 boundary never found, a whole part",
     HEAD "Content-Type: multipart/mixed; boundary=x\n\n--b\n"
          "Content-Type: application/gzip\nContent-Transfer-Encoding: base64\n\n@gz@\n--b--\n",
     "part 0=*; part 0 / base64 in the text=gzip; ", "mime; mime; "},
    {"C29 boundary never found, XML", HEAD "Content-Type: multipart/mixed; boundary=x\n\n" XML "\n",
     "part 0=" XML "\n; ", "mime; "},
    {"C29 report in the preamble", MIXED XML "\n--b\n\nhello\n--b--\n",
     "part 0 (preamble)=" XML "; part 1=hello; ", "mime; -; "},
    {"C29 report in the epilogue", MIXED "--b\n\nhello\n--b--\n@zip@",
     "part 1=hello; part 0 (epilogue)=zip; ", "-; cte; "},
    {"C29 XML behind a banner", HEAD "\nExternal mail\n\n" XML "\n",
     "part 1=External mail\n\n" XML "\n; part 1 / XML in the text=" XML "\n; ", "-; mime; "},
    {"C31 bounce",
     MIXED "--b\n\nno such user\n--b\nContent-Type: message/delivery-status\n\nStatus: 5.1.1\n--b--\n",
     "part 1=no such user; part 2=Status: 5.1.1; ", "-; -; "},
    {"C32 failure report",
     HEAD "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\n\nhello\n--b\n"
          "Content-Type: message/feedback-report\n\nFeedback-Type: auth-failure\nVersion: "
          "1\n--b\nContent-Type: text/rfc822-headers\n\nSubject: k\n--b--\n",
     "part 1=hello; part 2=Feedback-Type: auth-failure\nVersion: 1; part 3=Subject: k; ", "-; -; -; "},
    {"C32 TLS report", MIXED "--b\nContent-Type: application/tlsrpt+json\n\n{\"policies\":[]}\n--b--\n",
     "part 1={\"policies\":[]}; ", "-; "},
    {"C34 two Content-Types",
     HEAD "Content-Type: multipart/mixed; boundary=b\nContent-Type: text/plain\n\n--b\n\n" XML "\n--b--\n",
     "part 1=" XML "; ", "-; "},
    {"C34 upper case and comments",
     HEAD "Content-Type: (c) MULTIPART/MIXED; (d) Boundary=\"b\"\n\n--b\nContent-Type: APPLICATION/GZIP\n"
          "Content-Transfer-Encoding: BASE64\n\n@gz@\n--b--\n",
     "part 1=gzip; ", "-; "},
    {"boundary in RFC 2231 pieces",
     HEAD "Content-Type: multipart/mixed; boundary*0=b; boundary*1=c\n\n--bc\n\n" XML "\n--bc--\n",
     "part 1=" XML "; ", "-; "},
    {"blank lines before the header", "\n\r\n" HEAD "\n" XML, "part 1=" XML "; ", "-; "},
    {"From line before the header", "From a@b Sat Nov 21 10:00:00 2026\n" HEAD "\n" XML, "part 1=" XML "; ",
     "-; "},
    {"BOM before the header", "\xef\xbb\xbf" HEAD "\n" XML, "part 1=" XML "; ", "-; "},
    {"no header", "hello world\n\nsecond", "part 1=hello world\n\nsecond; ", "mime; "},
    {"text with fields further down", "a\nb\nc\nFrom: x\nSubject: y\n\nz",
     "part 1=a\nb\nc\nFrom: x\nSubject: y\n\nz; ", "mime; "},
    {"header only", "Subject: x\n", "part 1=; ", "-; "},
    {"nothing", "", "part 1=; ", "mime; "},
    {"uuencode", HEAD "Content-Transfer-Encoding: x-uuencode\n\nbegin 644 a.xml\n+/&9E961B86-K+SX \n`\nend\n",
     "part 1=<feedback/>; ", "-; "},
};

/* "=*;" in the expected text stands for any content. */
static gboolean fits(const char *got, const char *expected)
{
    const char *star = strstr(expected, "=*; ");
    if (!star)
        return strcmp(got, expected) == 0;
    gsize before = (gsize)(star - expected) + 1, behind = strlen(star + 2), n = strlen(got);
    return n >= before + behind && strncmp(got, expected, before) == 0 &&
           strcmp(got + n - behind, star + 2) == 0;
}

/* Each vector from memory and from a file, with LF and with CR LF. */
static void test_vectors(void)
{
    for (gsize i = 0; i < 4 * G_N_ELEMENTS(vectors); i++) {
        const struct vector *vector = &vectors[i / 4];
        gboolean crlf = i % 4 >= 2, in_file = i % 2 == 1;
        /* The header of a mail in memory is sifted before GMime sees it; of a large one GMime takes the last.
         */
        if (in_file && strcmp(vector->name, "C34 two Content-Types") == 0)
            continue;
        g_autoptr(GError) error = NULL;
        struct collector collector = collector_new();
        GString *mail = fill(vector->mail, crlf);
        gboolean ok = walk(mail->str, mail->len, in_file, &limits_default, &collector, NULL, &error);
        g_assert_no_error(error);
        g_assert_true(ok);
        if (crlf) {
            g_autofree char *whole = g_string_free(g_steal_pointer(&collector.text), FALSE);
            g_auto(GStrv) pieces = g_strsplit(whole, "\r\n", -1);
            g_autofree char *plain = g_strjoinv("\n", pieces);
            collector.text = g_string_new(plain);
        }
        gboolean image = strstr(vector->expected, "PNG\r\n") && crlf;
        if (!image && !fits(collector.text->str, vector->expected))
            g_error("%s%s%s: got \"%s\" instead of \"%s\"", vector->name, crlf ? ", CR LF" : "",
                    in_file ? ", file" : "", collector.text->str, vector->expected);
        if (strcmp(collector.notes->str, vector->notes) != 0)
            g_error("%s: noted \"%s\" instead of \"%s\"", vector->name, collector.notes->str, vector->notes);
        unit_deviation(vector->name, !g_test_failed());
        g_string_free(mail, TRUE);
        collector_clear(&collector);
    }
}

struct head_row {
    const char *name, *mail, *id, *from, *from_domain, *subject;
    gint64 date;
};

static const struct head_row heads[] = {
    {"H1 Google",
     "From: noreply-dmarc-support@google.com\nMessage-ID: <1@google.com>\nDate: Sat, 21 Nov 2026 10:00:00 "
     "+0100\n"
     "Subject: Report domain: example.com Submitter: google.com Report-ID: 1\n\n",
     "1@google.com", "noreply-dmarc-support@google.com", "google.com",
     "Report domain: example.com Submitter: google.com Report-ID: 1", 1795251600},
    {"H2 Mail.Ru, folded", "Subject: Report Domain: example.com; Submitter: Mail.Ru;\n Report-ID: 12\n\n",
     NULL, NULL, NULL, "Report Domain: example.com; Submitter: Mail.Ru; Report-ID: 12", 0},
    {"H3 braces", "Subject: Dmarc Aggregate Report Domain: {example.com}  Submitter: {Amazon SES}\n\n", NULL,
     NULL, NULL, "Dmarc Aggregate Report Domain: {example.com}  Submitter: {Amazon SES}", 0},
    {"H4 RFC 2047", "Subject: =?utf-8?B?W1ByZXZpZXddIFJlcG9ydCBEb21haW46IGV4YW1wbGUuY29t?=\n\n", NULL, NULL,
     NULL, "[Preview] Report Domain: example.com", 0},
    {"H5 prefixes", "Subject: [EXTERNAL] FW: Report\n\n", NULL, NULL, NULL, "[EXTERNAL] FW: Report", 0},
    {"H7 no subject", "From: a@b.example\n\n", NULL, "a@b.example", "b.example", NULL, 0},
    {"H8 empty From", "From:\nSubject: x\n\n", NULL, NULL, NULL, "x", 0},
    {"H8 From without address", "From: nobody at all\n\n", NULL, "nobody at all", NULL, NULL, 0},
    {"H8 From with name", "From: =?utf-8?q?J=C3=BCrgen?= <r@B.Example>\n\n", NULL,
     "J\xc3\xbcrgen <r@B.Example>", "b.example", NULL, 0},
    {"H8 unknown charset", "Subject: =?x-none?Q?a=FFb?=\n\n", NULL, NULL, NULL,
     "a\xc3\xbf"
     "b",
     0},
    {"H8 raw Latin-1",
     "Subject: Gr\xfc\xdf"
     "e\n\n",
     NULL, NULL, NULL,
     "Gr\xc3\xbc\xc3\x9f"
     "e",
     0},
    {"H8 escape sequence, encoded", "Subject: =?utf-8?Q?a=1B[2Jb?=\n\n", NULL, NULL, NULL, "a\\x1b[2Jb", 0},
    {"H8 bidi, encoded", "Subject: =?utf-8?B?YeKArmI=?=\n\n", NULL, NULL, NULL, "a\\u{202e}b", 0},
    {"H8 senseless date", "Date: yesterday\nSubject: x\n\n", NULL, NULL, NULL, "x", 0},
    {"H9 TLS report",
     "Subject: Report Domain: example.com Submitter: google.com Report-ID: <2@google.com>\n\n", NULL, NULL,
     NULL, "Report Domain: example.com Submitter: google.com Report-ID: <2@google.com>", 0},
};

static void check_text(const char *name, const char *field, const char *got, const char *expected)
{
    if (g_strcmp0(got, expected) != 0)
        g_error("%s: %s is \"%s\" instead of \"%s\"", name, field, got, expected);
}

static void test_heads(void)
{
    for (gsize i = 0; i < 2 * G_N_ELEMENTS(heads); i++) {
        const struct head_row *row = &heads[i / 2];
        struct collector collector = collector_new();
        struct message_head head;
        g_assert_true(
            walk(row->mail, strlen(row->mail), i % 2 == 1, &limits_default, &collector, &head, NULL));
        check_text(row->name, "message_id", head.message_id, row->id);
        check_text(row->name, "from", head.from, row->from);
        check_text(row->name, "from_domain", head.from_domain, row->from_domain);
        check_text(row->name, "subject", head.subject, row->subject);
        g_assert_cmpint(head.date, ==, row->date);
        unit_deviation(row->name, !g_test_failed());
        message_head_clear(&head);
        collector_clear(&collector);
    }
}

/* H8: a long subject is cut between characters. */
static void test_long_head(void)
{
    g_autoptr(GString) mail = g_string_new("Subject: ");
    for (guint i = 0; i < 2000; i++)
        g_string_append(mail, "\xc3\xbc");
    g_string_append(mail, "\n\n");
    struct collector collector = collector_new();
    struct message_head head;
    g_assert_true(walk(mail->str, mail->len, FALSE, &limits_default, &collector, &head, NULL));
    g_assert_cmpuint(strlen(head.subject), ==, 1000);
    g_assert_true(g_utf8_validate(head.subject, -1, NULL));
    message_head_clear(&head);
    collector_clear(&collector);
}

static GString *nested(guint depth, const char *type)
{
    GString *mail = g_string_new(HEAD);
    for (guint i = 0; i < depth; i++) {
        if (strcmp(type, "message") == 0)
            g_string_append(mail, "Content-Type: message/rfc822\n\n");
        else if (strcmp(type, "hidden") == 0)
            g_string_append_printf(mail, "Content-Type: multipart/mixed; boundary*0=b%u\n\n--b%u\n", i, i);
        else
            g_string_append_printf(mail, "Content-Type: multipart/mixed; boundary=b%u\n\n--b%u\n", i, i);
    }
    return g_string_append(mail, "Subject: in\n\n" XML "\n");
}

static void check_limit(GString *mail, const char *name, guint64 low, guint64 enough, const char *expected)
{
    for (guint pass = 0; pass < 2; pass++) {
        struct limits limits = limits_default;
        struct collector collector = collector_new();
        g_autoptr(GError) error = NULL;
        g_assert_true(limits_set(&limits, name, pass ? enough : low));
        gboolean ok = walk(mail->str, mail->len, FALSE, &limits, &collector, NULL, &error);
        if (pass) {
            g_assert_no_error(error);
            g_assert_cmpstr(collector.details->str, ==, "");
        } else if (ok) {
            if (!g_str_has_prefix(collector.details->str, expected))
                g_error("%s: refused with \"%s\"", name, collector.details->str);
        } else {
            g_assert_error(error, WS_ERROR, WS_ERROR_LIMIT);
            if (!g_str_has_prefix(error->message, expected))
                g_error("%s: refused with \"%s\"", name, error->message);
        }
        collector_clear(&collector);
    }
    g_string_free(mail, TRUE);
}

/* Each limit of a mail, lowered under what the mail needs, is named; at what it needs nothing is said. */
static void test_limits(void)
{
    static const char plain[] =
        MIXED "--b\nContent-Transfer-Encoding: base64\n\n@gz@\n--b\n\n" XML "\n--b--\n";
    gsize size = fill(plain, FALSE)->len;
    check_limit(fill(plain, FALSE), "message_size", size - 1, size, "limit message_size: more than ");
    check_limit(fill(plain, FALSE), "message_parts", 1, 2, "limit message_parts: more than 1 parts");
    check_limit(fill(plain, FALSE), "message_headers", 2, 3,
                "limit message_headers: more than 2 header lines");
    check_limit(fill(plain, FALSE), "header_line", 41, 42,
                "limit header_line: more than 41 bytes in a line of a header");
    check_limit(fill(plain, FALSE), "attachment_size", gzip->len - 1, gzip->len,
                "limit attachment_size: more than ");
    check_limit(fill(HEAD "\n" XML, FALSE), "attachment_size", 23, 24,
                "limit attachment_size: more than 23 bytes");
    check_limit(nested(4, "multipart"), "message_depth", 3, 5,
                "limit message_depth: more than 3 parts inside of each other");
    check_limit(nested(4, "message"), "message_depth", 3, 5,
                "limit message_depth: more than 3 parts inside of each other");
    check_limit(nested(4, "hidden"), "message_depth", 3, 5,
                "limit message_depth: more than 3 parts inside of each other");
}

/* A part over a limit costs itself alone. */
static void test_other_parts(void)
{
    struct limits limits = limits_default;
    limits.attachment_size = 100;
    g_autofree char *large = g_strnfill(200, 'A');
    g_autofree char *mail =
        g_strconcat(MIXED "--b\nContent-Transfer-Encoding: base64\nContent-Type: a/b; name=n\n\n", large,
                    "\n--b\n\n" XML "\n--b--\n", NULL);
    struct collector collector = collector_new();
    g_assert_true(walk(mail, strlen(mail), FALSE, &limits, &collector, NULL, NULL));
    g_assert_cmpstr(collector.text->str, ==, "part 1 / n!limit; part 2=" XML "; ");
    collector_clear(&collector);
    /* and is not looked for once more in the text */
    g_autofree char *alone =
        g_strconcat(HEAD "Content-Transfer-Encoding: base64\n\nH4sIAAAA\n", large, "\n", NULL);
    collector = collector_new();
    g_assert_true(walk(alone, strlen(alone), FALSE, &limits, &collector, NULL, NULL));
    g_assert_cmpstr(collector.text->str, ==, "part 1!limit; ");
    collector_clear(&collector);
}

/* Cut at each offset: no crash, and a leaf or a refusal comes out of it. */
static void test_cuts(void)
{
    GString *mail =
        fill("Received: x\n" HEAD
             "Content-Type: multipart/mixed; boundary=b\n\npre\n--b\nContent-Type: message/rfc822\n\n"
             "Subject: in\nContent-Type: multipart/mixed; boundary=\"c d\"\n\n--c d\n\nhello\n--c d--\n--b\n"
             "Content-Type: application/gzip; name=\"=?utf-8?q?r.gz?=\"\nContent-Transfer-Encoding: "
             "base64\n\n@gz@\n--b--\nepi\n",
             TRUE);
    for (gsize n = 0; n <= mail->len; n++) {
        struct collector collector = collector_new();
        g_autoptr(GError) error = NULL;
        g_assert_true(walk(mail->str, n, n % 2 == 1, &limits_default, &collector, NULL, &error));
        g_assert_no_error(error);
        g_assert_cmpuint(collector.text->len, >, 0);
        if (n + 10 >= mail->len)
            g_assert_cmpstr(collector.text->str, ==, "part 1 / message / part 1=hello; part 2 / r.gz=gzip; ");
        collector_clear(&collector);
    }
    g_string_free(mail, TRUE);
}

static void test_types(void)
{
    GString *mail = fill(MIXED "--b\nContent-Type: Application/GZIP; name=r.gz\nContent-Transfer-Encoding: "
                               "base64\n\n@gz@\n--b\n\nx\n--b--\n",
                         FALSE);
    struct collector collector = collector_new();
    g_assert_true(walk(mail->str, mail->len, FALSE, &limits_default, &collector, NULL, NULL));
    g_assert_cmpstr(collector.types->str, ==, "application/gzip; text/plain; ");
    g_assert_cmpstr(collector.names->str, ==, "r.gz; -; ");
    collector_clear(&collector);
    g_string_free(mail, TRUE);
}

/* A mail out of an archive is walked with what is left of the limits of the mail around it. */
static void test_inner(void)
{
    static const struct {
        guint depth, leaves;
        const char *text, *details;
    } rows[] = {
        {0, 1, "a.zip / b.eml / message / part 1=gzip; a.zip / b.eml / message / part 2=" XML "; ", ""},
        {17, 998, "a.zip / b.eml / message / part 1=gzip; a.zip / b.eml / message / part 2=" XML "; ", ""},
        {0, 999, "a.zip / b.eml / message / part 1=gzip; a.zip / b.eml / message / part 2!limit; ",
         "limit message_parts: more than 1000 parts; "},
    };
    GString *mail =
        fill(MIXED "--b\nContent-Transfer-Encoding: base64\n\n@gz@\n--b\n\n" XML "\n--b--\n", FALSE);
    struct blob *blob = blob_of(mail->str, mail->len, FALSE);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        guint leaves = rows[i].leaves;
        const struct message_part around = {.depth = rows[i].depth, .leaves = &leaves};
        struct collector collector = collector_new();
        g_autoptr(GError) error = NULL;
        gboolean ok = message_walk_inner(blob, &around, "a.zip / b.eml", &limits_default, on_part, on_refusal,
                                         &collector, &error);
        if (error)
            g_string_append_printf(collector.details, "%s; ", error->message);
        g_assert_cmpint(ok, ==, error == NULL);
        g_assert_cmpstr(collector.text->str, ==, rows[i].text);
        g_assert_cmpstr(collector.details->str, ==, rows[i].details);
        g_assert_cmpuint(leaves, ==, rows[i].leaves + 2);
        collector_clear(&collector);
    }
    /* Too deep, and too large. */
    guint leaves = 1;
    const struct message_part deep = {.depth = 19, .leaves = &leaves};
    struct limits limits = limits_default;
    struct collector collector = collector_new();
    g_assert_true(message_walk_inner(blob, &deep, "b.eml", &limits, on_part, on_refusal, &collector, NULL));
    limits.message_size = mail->len - 1;
    g_assert_true(message_walk_inner(blob, &deep, "c.eml", &limits, on_part, on_refusal, &collector, NULL));
    g_assert_true(g_str_has_prefix(collector.details->str, "limit message_depth: more than 20 parts"));
    g_assert_true(g_str_has_suffix(collector.text->str, "c.eml!limit; "));
    g_assert_nonnull(strstr(collector.details->str, "limit message_size: more than "));
    collector_clear(&collector);
    blob_unref(blob);
    g_string_free(mail, TRUE);
}

/* Of two Content-Type fields the first counts, also in a part. */
static void test_first_type(void)
{
    static const char mail[] =
        MIXED "--b\nContent-Type: application/gzip\nContent-Type: text/html\n\nx\n--b--\n";
    struct collector collector = collector_new();
    g_assert_true(walk(mail, strlen(mail), FALSE, &limits_default, &collector, NULL, NULL));
    g_assert_cmpstr(collector.types->str, ==, "application/gzip; ");
    unit_deviation("C34", !g_test_failed());
    collector_clear(&collector);
}

static gboolean stop(void *self, const struct message_part *part, GError **error)
{
    (void)part;
    ++*(guint *)self;
    g_set_error(error, WS_ERROR, WS_ERROR_DB_DOWN, "stopped");
    return FALSE;
}

static void test_stop(void)
{
    static const char mail[] = MIXED "--b\n\none\n--b\n\ntwo\n--b--\n";
    struct blob *blob = blob_of(mail, strlen(mail), FALSE);
    struct message_head head;
    g_autoptr(GError) error = NULL;
    guint calls = 0;
    g_assert_false(message_walk(blob, &limits_default, &head, stop, on_refusal, &calls, &error));
    g_assert_error(error, WS_ERROR, WS_ERROR_DB_DOWN);
    g_assert_cmpuint(calls, ==, 1);
    g_assert_cmpstr(head.from_domain, ==, "b.example");
    message_head_clear(&head);
    blob_unref(blob);
}

static char *in_lines(const char *base64)
{
    GString *out = g_string_new(NULL);
    for (gsize i = 0; base64[i]; i++) {
        g_string_append_c(out, base64[i]);
        if (i % 76 == 75)
            g_string_append_c(out, '\n');
    }
    g_string_append_c(out, '\n');
    return g_string_free(out, FALSE);
}

int main(int argc, char **argv)
{
    (void)argc;
    unit_init(argv[0]);
    gzip =
        pack_gzip("<feedback><report_metadata><org_name>a reporter</org_name></report_metadata></feedback>");
    zip = pack_zip("a.xml", XML, 0);
    gzip_line = g_base64_encode(gzip->data, gzip->len);
    g_autofree char *zip_line = g_base64_encode(zip->data, zip->len);
    gzip_lines = in_lines(gzip_line);
    zip_lines = in_lines(zip_line);
    g_test_add_func("/message/vectors", test_vectors);
    g_test_add_func("/message/heads", test_heads);
    g_test_add_func("/message/long-head", test_long_head);
    g_test_add_func("/message/limits", test_limits);
    g_test_add_func("/message/other-parts", test_other_parts);
    g_test_add_func("/message/cuts", test_cuts);
    g_test_add_func("/message/types", test_types);
    g_test_add_func("/message/inner", test_inner);
    g_test_add_func("/message/first-type", test_first_type);
    g_test_add_func("/message/stop", test_stop);
    int status = g_test_run();
    g_byte_array_unref(gzip);
    g_byte_array_unref(zip);
    g_free(gzip_line);
    g_free(gzip_lines);
    g_free(zip_lines);
    return status;
}
