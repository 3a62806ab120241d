/* Reports between the words of a text: which are found in which mails, and that none is read twice. */
#include "ingest/message.h"
#include "parser/error.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define HEAD "From: a@b.example\nSubject: x\n"
#define MIXED HEAD "Content-Type: multipart/mixed; boundary=b\n\n"
#define QUOTED "Content-Transfer-Encoding: quoted-printable\n\n"
#define BASE64 "Content-Transfer-Encoding: base64\n\n"
#define FROM "From a@b.example Sat Nov 21 10:00:00 2026\n"
#define XML "<feedback>one</feedback>"
#define XML_BASE64 "PGZlZWRiYWNrPm9uZTwvZmVlZGJhY2s+"

/* "LABEL=CONTENT; " for a leaf, "LABEL!DETAIL; " for a refusal. */
static gboolean on_part(void *self, const struct message_part *part, GError **error)
{
    char content[1000];
    gssize got = blob_read(part->content, 0, content, sizeof content, error);
    g_assert_cmpint(got, >=, 0);
    g_string_append_printf(self, "%s=", part->label);
    gboolean known =
        memchr(content, '\0', MIN((gsize)got, sizeof content)) ||
        (got > 5 && (memcmp(content, "From ", 5) == 0 || g_strstr_len(content, got, "begin ") != NULL));
    g_string_append_len(self, known ? "*" : content, known ? 1 : got);
    g_string_append(self, "; ");
    return TRUE;
}

static gboolean on_refusal(void *self, const char *label, const char *code, const char *detail,
                           GError **error)
{
    (void)error;
    g_assert_cmpstr(code, ==, "limit");
    g_string_append_printf(self, "%s!%s; ", label, detail);
    return TRUE;
}

/* Takes the blob. */
static char *walk_blob(struct blob *blob, const struct limits *limits)
{
    GString *told = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    struct message_head head;
    if (!message_walk(blob, limits, &head, on_part, on_refusal, told, &error))
        g_string_append_printf(told, "!%s", error->message);
    message_head_clear(&head);
    blob_unref(blob);
    return g_string_free(told, FALSE);
}

/* What a walk told, or "!" and why it failed; of the mail in a file, too. Owned by the caller. */
static char *walk(const char *mail, const struct limits *limits)
{
    gsize n = strlen(mail);
    g_autoptr(GBytes) bytes = g_bytes_new_static(mail, n);
    int fd = open(g_get_tmp_dir(), O_TMPFILE | O_RDWR, 0600);
    g_assert_cmpint(write(fd, "--b\n", 4), ==, 4);
    g_assert_cmpint(write(fd, mail, n), ==, (gssize)n);
    g_autofree char *in_file = walk_blob(blob_new_fd(fd, 4, n, NULL), limits);
    close(fd);
    char *told = walk_blob(blob_new_bytes(bytes), limits);
    g_assert_cmpstr(told, ==, in_file);
    return told;
}

static const struct vector {
    const char *name, *mail, *expected;
} vectors[] = {
    {"C9 declared as XML", HEAD "Content-Type: text/xml\n\nHello\n" XML "\n", "part 1=Hello\n" XML "\n; "},
    {"C9 declared as XML, quoted-printable",
     HEAD "Content-Type: text/xml\n" QUOTED "Hello\n<feedback>1=\n0</feedback>",
     "part 1=Hello\n<feedback>10</feedback>; "},
    {"C9 with a prefix, indented", HEAD "\nHello\n \t<r:feedback>\n",
     "part 1=Hello\n \t<r:feedback>\n; part 1 / XML in the text= \t<r:feedback>\n; "},
    {"C24 quoted-printable", HEAD QUOTED "Hello\n<feedback>1=\n0</feedback>",
     "part 1=Hello\n<feedback>10</feedback>; part 1 / XML in the text=<feedback>10</feedback>; "},
    {"C24 base64", HEAD BASE64 "SGVsbG8KPGZlZWRiYWNrLz4K\n",
     "part 1=Hello\n<feedback/>\n; part 1 / XML in the text=<feedback/>\n; "},
    {"C24 in a file",
     MIXED "--b\nContent-Type: application/octet-stream; name=a.TXT\n" BASE64
           "SGVsbG8KPGZlZWRiYWNrLz4K\n--b--\n",
     "part 1 / a.TXT=Hello\n<feedback/>\n; part 1 / XML in the text=<feedback/>\n; "},
    {"C24 base64 in quoted-printable", HEAD QUOTED "Hello\nPGZlZWRiYWNrPm9u=\nZTwvZmVlZGJhY2s+\n",
     "part 1=Hello\n" XML_BASE64 "\n; part 1 / base64 in the text=" XML "; "},
    {"C27 and another part", MIXED "--b\n\nHello\n" XML "\n--b\n\n" XML "\n--b--\n",
     "part 1=Hello\n" XML "; part 1 / XML in the text=" XML "; part 2=" XML "; "},
    {"C16 XML and base64 in one text", HEAD "\nHello\n<?xml version='1.0'?>\n<a/>\n" XML_BASE64 "\n",
     "part 1=Hello\n<?xml version='1.0'?>\n<a/>\n" XML_BASE64 "\n; "
     "part 1 / XML in the text=<?xml version='1.0'?>\n<a/>\n" XML_BASE64
     "\n; part 1 / base64 in the text=" XML "; "},
    {"C18 in a mail in a mail",
     MIXED "--b\nContent-Type: message/rfc822\n\n" HEAD QUOTED "Hello\n<feedback>=3D</feedback>\n--b--\n",
     "part 1 / message / part 1=Hello\n<feedback>=</feedback>; "
     "part 1 / message / part 1 / XML in the text=<feedback>=</feedback>; "},
    {"C18 an mbox in a part",
     MIXED "--b\nContent-Type: application/mbox\n\n" FROM HEAD "\n" XML "\n>From me\n\n" FROM
           "X-A: 1\n\nno report\n\nFrom me on\nX: y\n\n" FROM HEAD QUOTED "<feedback/>=\n--b--\n",
     "part 1=*; part 1 / message 1 / part 1=" XML
     "\nFrom me\n\n; part 1 / message 2 / part 1=no report\n\nFrom me on\nX: y\n\n; "
     "part 1 / message 3 / part 1=<feedback/>; "},
    {"C18 an mbox in base64, fields that nobody knows",
     MIXED "--b\n" BASE64 "RnJvbSBhIDEwOjAwClgtQTogMQoKPGEvPgoKRnJvbSBiIDEwOjAwClgtQTogMQoKPGIvPgo=\n--b--\n",
     "part 1=*; part 1 / message 1 / part 1=<a/>\n\n; part 1 / message 2 / part 1=<b/>\n; "},
    {"C29 in front of the parts, and text in one of them",
     MIXED "Hello\n" XML "\n--b\n" QUOTED "<feedback=3D\n--b--\n",
     "part 1=<feedback=; XML in the text=" XML "\n--b\n" QUOTED "; "},
    {"C31 what mailers write into HTML, and an address",
     HEAD "\nAway\n<?xml:namespace prefix = o />\n<feedback@b.example>\n<feedbacks>\n< feedback>\n<r:\n<\n",
     "part 1=Away\n<?xml:namespace prefix = o />\n<feedback@b.example>\n<feedbacks>\n< "
     "feedback>\n<r:\n<\n; "},
    {"C24 uuencode at the start", HEAD "\nbegin 644 a.xml\n+/&9E961B86-K+SX \n`\nend\n",
     "part 1=*; part 1 / uuencode in the text / a.xml=<feedback/>; "},
    {"C24 uuencode between words, thrice",
     HEAD QUOTED "Hello\n\nbegin 0644 a b\n+/&9E961B86-K+SX=20\n=20\nend\nbegin 600 c\n#86)C\nbegin 6=\n44 "
                 "d\n#86)C\n\nbegin 644 e\n",
     "part 1=*; part 1 / uuencode in the text / a b=<feedback/>; part 1 / uuencode in the text / c=abc; "
     "part 1 / uuencode in the text / d=abc; "},
    {"C31 words that begin as uuencode does",
     HEAD "\nbegin 644 and end.\nNo code.\nbegin 644\nbegin 64 x\nbegin 64444 x\nbegin with this\nend\n",
     "part 1=*; "},
    {"C28 lines that end in CR",
     "Subject: x\rContent-Type: multipart/mixed; boundary=b\r\r--b\r\rHello\r--b\rContent-Transfer-Encoding: "
     "base64\r\r" XML_BASE64 "\r--b--\r",
     "part 1=Hello; part 2=" XML "; "},
    {"C28 a CR in a line", "Subject: x\ry\n\nHello\rworld\n", "part 1=Hello\rworld\n; "},
    {"C9 quoted", HEAD "\nHe wrote:\n> Look:\n> <feedback>\n>   <a>\n>\n> </feedback>\nBye\n",
     "part 1=He wrote:\n> Look:\n> <feedback>\n>   <a>\n>\n> </feedback>\nBye\n; "
     "part 1 / XML in the text=<feedback>\n  <a>\n\n</feedback>\n; "},
    {"C9 quoted twice, and once more by another, with CR LF",
     HEAD "\n> > <?xml version='1.0'?>\r\n> > <feedback>\r\n>> <feedback>\r\n",
     "part 1=> > <?xml version='1.0'?>\r\n> > <feedback>\r\n>> <feedback>\r\n; "
     "part 1 / XML in the text=<?xml version='1.0'?>\r\n<feedback>\r\n; "
     "part 1 / XML in the text=<feedback>\r\n; "},
    {"C9 quoted, below the same that is not", HEAD "\nHello\n" XML "\n>" XML "\n> " XML_BASE64 "\n>Hi\n",
     "part 1=Hello\n" XML "\n>" XML "\n> " XML_BASE64 "\n>Hi\n; "
     "part 1 / XML in the text=" XML "\n>" XML "\n> " XML_BASE64 "\n>Hi\n; "
     "part 1 / base64 in the text=" XML "; "},
    {"C24 quoted", HEAD "\n>PGZlZWRiYWNrPm9u\n>ZTwvZmVlZGJhY2s+\n>Hi: \n>begin 644 a\n>#86)C\n>`\n>end\n",
     "part 1=*; part 1 / base64 in the text=" XML "; part 1 / uuencode in the text / a=abc; "},
    {"C31 quotes in which no report begins, and one in a quote of its own",
     HEAD "\nHe wrote:\n> Look:\n>\n>> hello\n > <feedback>\n",
     "part 1=He wrote:\n> Look:\n>\n>> hello\n > <feedback>\n; "},
    {"X2 UTF-16 with a BOM, and half a pair",
     HEAD BASE64 "//5IAOkAPdgA3goAPABmAGUAZQBkAGIAYQBjAGsAPgDpAD3YAN48AC8AZgBlAGUAZABiAGEAYwBrAD4APdg=\n",
     "part 1=*; part 1 / XML in the text=<feedback>\xc3\xa9\xf0\x9f\x98\x80</feedback>\xef\xbf\xbd; "},
    {"X2 UTF-16 without a BOM", HEAD BASE64 "AEgAZQBsAGwAbwAKADwAZgBlAGUAZABiAGEAYwBrAC8APg==\n",
     "part 1=*; part 1 / XML in the text=<feedback/>; "},
    {"X2 UTF-16 without a BOM, quoted",
     HEAD BASE64 "SABlAGwAbABvAAoAPgAgADwAZgBlAGUAZABiAGEAYwBrAC8APgAKAA==\n",
     "part 1=*; part 1 / XML in the text=<feedback/>\n; "},
    {"X2 UTF-32",
     HEAD BASE64
     "//4AAEgAAABlAAAAbAAAAGwAAABvAAAACgAAADwAAABmAAAAZQAAAGUAAABkAAAAYgAAAGEAAABjAAAAawAAAC8AAAA+AAAA\n",
     "part 1=*; "},
    {"C32 JSON behind words",
     HEAD "\nHello { there }\n{\"a\":1}\n {\n\t\"report-id\":\n{\n}\n}\nBye\n{\"policies\"\n",
     "part 1=Hello { there }\n{\"a\":1}\n {\n\t\"report-id\":\n{\n}\n}\nBye\n{\"policies\"\n; "
     "part 1 / JSON in the text= {\n\t\"report-id\":\n{\n}\n}\nBye\n{\"policies\"\n; "},
    {"C32 JSON in a quote", HEAD "\n> {\n>  \"a\"}\n> {\n>  \"policies\": []}\n> Bye\n",
     "part 1=> {\n>  \"a\"}\n> {\n>  \"policies\": []}\n> Bye\n; "
     "part 1 / JSON in the text={\n \"policies\": []}\nBye\n; "},
    {"C32 JSON that ends soon", HEAD "\nHello\n{", "part 1=Hello\n{; "},
    {"C9 in HTML, as people see it",
     HEAD "Content-Type: text/html\n\n<p>Look: &nbsp;<BR>&lt;?xml "
          "version=&quot;1.0&quot;?&gt;<br/>&lt;feedback&gt;"
          "<div><b>&#160;&#x20;</b>&lt;a&gt;a &amp;amp; b&uuml;&amp;&#0;&#xfc;& <i>c</i>&lt;/a&gt;</div>",
     "part 1=<p>Look: &nbsp;<BR>&lt;?xml version=&quot;1.0&quot;?&gt;<br/>&lt;feedback&gt;"
     "<div><b>&#160;&#x20;</b>&lt;a&gt;a &amp;amp; b&uuml;&amp;&#0;&#xfc;& <i>c</i>&lt;/a&gt;</div>; "
     "part 1 / XML in the text=<?xml version=\"1.0\"?>\n<feedback>\n  <a>a &amp; b&uuml;&&#0;\xc3\xbc& "
     "c</a>\n; "},
    {"C9 in HTML, and not once more behind the same as text",
     MIXED "--b\n\nHello\n" XML "\n--b\nContent-Type: text/html\n\n&lt;feedback&gt;\n--b--\n",
     "part 1=Hello\n" XML "; part 1 / XML in the text=" XML "; part 2=&lt;feedback&gt;; "},
    {"C31 HTML that nothing is in", HEAD "Content-Type: text/html\n\n<p>feedback &lt;feedbacks&gt; &",
     "part 1=<p>feedback &lt;feedbacks&gt; &; "},
    {"C31 no text", MIXED "--b\nContent-Type: application/pdf\n\n%PDF\n" XML "\n--b\n\n" XML "\n--b--\n",
     "part 1=%PDF\n" XML "; part 2=" XML "; "},
};

static void test_vectors(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
        const struct vector *vector = &vectors[i];
        g_autofree char *told = walk(vector->mail, &limits_default);
        if (strcmp(told, vector->expected) != 0)
            g_error("%s: got \"%s\"", vector->name, told);
        unit_deviation(vector->name, !g_test_failed());
    }
}

/* A part that passes a limit, repeated, behind good ones: these are read, and what is wrong is told once. */
static void test_cut(void)
{
    static const struct {
        const char *name, *again, *tail;
        guint times;
        const char *told;
    } rows[] = {
        {"a long line", "X: 9876543210", "\n\nx\n--b\n\nmore\n--b--\n", 7000,
         "the rest!limit header_line: more than 65536 bytes in a line of a header; "},
        {"many lines", "X: y\n", "\nx\n--b--\n", 2001,
         "the rest!limit message_headers: more than 2000 header lines of a mail or part, or too many in "
         "all; "},
        {"deep", "Content-Type: multipart/mixed; boundary=c\n\n--c\n", "\nx\n", 40,
         "part 3.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1=; the rest!limit message_depth: more than 20 parts "
         "inside of each other; "},
        {"deep messages", "Content-Type: message/rfc822\n\n", "\nx\n", 40,
         "the rest!limit message_depth: more than 20 parts inside of each other; "},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) mail = g_string_new(MIXED "--b\n\n" XML "\n--b\n\nHello\n--b\n");
        for (guint n = 0; n < rows[i].times; n++)
            g_string_append(mail, rows[i].again);
        g_string_append(mail, rows[i].tail);
        g_autofree char *told = walk(mail->str, &limits_default);
        g_autofree char *expected = g_strconcat("part 1=" XML "; part 2=Hello; ", rows[i].told, NULL);
        if (strcmp(told, expected) != 0)
            g_error("%s: got \"%s\"", rows[i].name, told);
        /* The same in a mail in the mail, and as the mail's own header, of which nothing stands in front. */
        g_autofree char *inner = g_strconcat(
            HEAD "Content-Type: multipart/mixed; boundary=d\n\n--d\nContent-Type: a/b\n\nHello\n--d\n\n",
            mail->str, NULL);
        g_autofree char *in = walk(inner, &limits_default);
        g_assert_true(g_str_has_prefix(in, "part 1=Hello; "));
        g_assert_nonnull(strstr(in, "!limit "));
    }
}

static void test_many_parts(void)
{
    g_autoptr(GString) mail = g_string_new(MIXED "--b\n\n" XML "\n");
    for (guint i = 0; i < 3000; i++)
        g_string_append(mail, "--b\n\nx\n");
    g_autofree char *told = walk(mail->str, &limits_default);
    g_assert_true(g_str_has_prefix(told, "part 1=" XML "; part 2=x; "));
    g_assert_true(
        g_str_has_suffix(told, "part 1000=x; the rest!limit message_parts: more than 1000 parts; "));
    /* Mails in a row are counted together. */
    g_string_assign(mail, MIXED "--b\nContent-Type: application/mbox\n\n");
    for (guint i = 0; i < 1500; i++)
        g_string_append(mail, FROM HEAD "\nHello\n\n");
    g_autofree char *mails = walk(mail->str, &limits_default);
    g_assert_nonnull(strstr(mails, "part 1 / message 999 / part 1=Hello\n\n; "));
    g_assert_true(
        g_str_has_suffix(mails, " / message 1000 / part 1!limit message_parts: more than 1000 parts; "));
}

/* Many braces that begin nothing do not keep what is quoted behind them from being found. */
static void test_many_braces(void)
{
    g_autoptr(GString) mail = g_string_new(HEAD "\nHello\n");
    for (guint i = 0; i < 2000; i++)
        g_string_append(mail, "{\n");
    g_string_append(mail, "> " XML "\n");
    g_autofree char *told = walk(mail->str, &limits_default);
    g_assert_nonnull(strstr(told, "part 1 / XML in the text=" XML "\n; "));
}

/* A text for which there is no room costs itself, and not what stands behind it. */
static void test_no_room(void)
{
    int fd = open(g_get_tmp_dir(), O_TMPFILE | O_RDWR, 0600);
    g_assert_cmpint(fd, >=, 0);
    g_autoptr(GString) mail = g_string_new(MIXED "--b\nContent-Type: text/html\n\n");
    for (int i = 0; i < 200000; i++)
        g_string_append(mail, "<br>&gt; &lt;feedback&gt;");
    g_string_append(mail, "\n--b\n\n" XML "\n--b--\n");
    blob_use_scratch(&fd, 1);
    g_autoptr(GBytes) bytes = g_bytes_new_static(mail->str, mail->len);
    g_autofree char *told = walk_blob(blob_new_bytes(bytes), &limits_default);
    blob_use_scratch(NULL, 0);
    const char *refused = strstr(told, "; part 1!");
    g_assert_nonnull(refused);
    g_assert_nonnull(strstr(refused, "; part 2=" XML "; "));
    close(fd);
}

int main(int argc, char **argv)
{
    (void)argc;
    unit_init(argv[0]);
    g_test_add_func("/message-text/vectors", test_vectors);
    g_test_add_func("/message-text/cut", test_cut);
    g_test_add_func("/message-text/many-parts", test_many_parts);
    g_test_add_func("/message-text/many-braces", test_many_braces);
    g_test_add_func("/message-text/no-room", test_no_room);
    return g_test_run();
}
