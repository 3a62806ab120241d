/* The message that a failure report is about: its header is found, and nothing in it is handed out. */
#include "ingest/content.h"
#include "ingest/message.h"
#include "tests/unit/unit.h"

#include <string.h>

#define REPORT                                                                                               \
    "From: <reporter@outer.example>\nDate: Mon, 12 Oct 2026 08:00:00 +0200\nMessage-ID: <1@outer.example>\n" \
    "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"
#define WORDS "--b\nContent-Type: text/plain\n\nSomething failed.\n"
#define FIELDS "--b\nContent-Type: message/feedback-report\n\nFeedback-Type: auth-failure\n"
#define HEAD "Received: by x;\n\tyesterday\nfrom: <a@sample.example>\nSubject: =?utf-8?q?=C3=A4?=\n"
#define SAMPLE "--b\nContent-Type: message/rfc822\n\n" HEAD
#define XML "<feedback>one</feedback>\n"

struct seen {
    GString *labels; /* "label; " of all leaves */
    char *sample;    /* beside the feedback report */
    char *head;      /* From domain and Message-ID of the mail around it */
    gsize most;
};

static gboolean on_part(void *self, const struct message_part *part, GError **error)
{
    struct seen *seen = self;
    guint8 start[CONTENT_SNIFF];
    gssize got = blob_read(part->content, 0, start, sizeof start, error);
    g_assert_cmpint(got, >=, 0);
    g_string_append_printf(seen->labels, "%s; ", part->label);
    if (content_sniff(start, (gsize)got, NULL) != CONTENT_FEEDBACK || seen->sample)
        return TRUE;
    GBytes *bytes = message_part_sample(part, seen->most, error);
    g_assert_true(bytes || !error || !*error);
    if (bytes) {
        gsize n;
        const char *data = g_bytes_get_data(bytes, &n);
        seen->sample = g_strndup(data, n);
        g_bytes_unref(bytes);
    }
    seen->head = g_strdup_printf("%s %s %" G_GINT64_FORMAT, part->head->from_domain, part->head->message_id,
                                 part->head->date);
    return TRUE;
}

static gboolean on_refusal(void *self, const char *label, const char *code, const char *detail,
                           GError **error)
{
    (void)detail;
    (void)error;
    g_string_append_printf(((struct seen *)self)->labels, "%s!%s; ", label, code);
    return TRUE;
}

static void look(const char *mail, gsize most, struct seen *seen)
{
    GError *error = NULL;
    struct message_head head;
    g_autoptr(GBytes) bytes = g_bytes_new(mail, strlen(mail));
    struct blob *blob = blob_new_bytes(bytes);
    *seen = (struct seen){.labels = g_string_new(NULL), .most = most};
    g_assert_true(message_walk(blob, &limits_default, &head, on_part, on_refusal, seen, &error));
    g_assert_no_error(error);
    message_head_clear(&head);
    blob_unref(blob);
}

static void forget(struct seen *seen)
{
    g_string_free(seen->labels, TRUE);
    g_free(seen->sample);
    g_free(seen->head);
}

static const struct {
    const char *name, *mail, *labels, *sample;
} vectors[] = {
    {"a message", REPORT WORDS FIELDS SAMPLE "\nbody " XML "--b--\n", "part 1; part 2; ", HEAD},
    {"a message with attachments that look like reports",
     REPORT WORDS FIELDS SAMPLE "Content-Type: multipart/mixed; boundary=c\n\n--c\n\n" XML
                                "--c\nContent-Type: application/xml; name=a.xml\n\n" XML "--c--\n--b--\n",
     "part 1; part 2; ", HEAD},
    {"in another order", REPORT SAMPLE "\nbody\n" FIELDS WORDS "--b--\n", "part 2; part 3; ", HEAD},
    {"only the header",
     REPORT WORDS FIELDS "--b\nContent-Type: text/rfc822-headers; name=\"The subject.txt\"\n\n" HEAD
                         "\n--b--\n",
     "part 1; part 2; part 3; ", HEAD},
    {"as text of another name", REPORT FIELDS "--b\nContent-Type: text/rfc-822\n\n" HEAD "\n" XML "--b--\n",
     "part 1; part 2; ", HEAD "\n<feedback>one</feedback>"},
    {"as plain text", REPORT WORDS FIELDS "--b\nContent-Type: text/plain\n\n" HEAD "\n" XML "--b--\n",
     "part 1; part 2; part 3; ", HEAD "\n<feedback>one</feedback>"},
    {"in base64",
     REPORT WORDS FIELDS "--b\nContent-Type: text/rfc822-headers\nContent-Transfer-Encoding: base64\n\n"
                         "RnJvbTogYUBzYW1wbGUuZXhhbXBsZQpTdWJqZWN0OiB4Cg==\n--b--\n",
     "part 1; part 2; part 3; ", "From: a@sample.example\nSubject: x\n"},
    {"none", REPORT WORDS FIELDS "--b--\n", "part 1; part 2; ", NULL},
    {"text that is no header",
     REPORT WORDS FIELDS "--b\nContent-Type: text/rfc822-headers\n\nnothing\n--b--\n",
     "part 1; part 2; part 3; ", NULL},
    {"no multipart",
     "From: <a@b.example>\nContent-Type: message/feedback-report\n\nFeedback-Type: auth-failure\n",
     "part 1; ", NULL},
    {"a base64 block of a zip in the message is not looked for",
     REPORT WORDS FIELDS SAMPLE "\nUEsDBAAAAAAAAAAAAAAAAAAA\n--b--\n", "part 1; part 2; ", HEAD},
    {"a message without a report beside it is looked into",
     "From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n" SAMPLE "\n" XML "--b--\n",
     "part 1 / message / part 1; ", NULL},
};

static void test_vectors(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
        struct seen seen;
        look(vectors[i].mail, 10000, &seen);
        if (!g_str_equal(seen.labels->str, vectors[i].labels) ||
            g_strcmp0(seen.sample, vectors[i].sample) != 0) {
            g_test_message("%s: \"%s\" \"%s\"", vectors[i].name, seen.labels->str, seen.sample);
            g_test_fail();
        }
        forget(&seen);
    }
}

/* Of a report that was forwarded, the mail around it counts, not the one that forwards it. */
static void test_head(void)
{
    struct seen seen;
    look("From: friend@friend.example\nContent-Type: multipart/mixed; boundary=a\n\n--a\n"
         "Content-Type: message/rfc822\n\n" REPORT FIELDS SAMPLE "\n--b--\n--a--\n",
         10000, &seen);
    g_assert_cmpstr(seen.head, ==, "outer.example 1@outer.example 1791784800");
    g_assert_cmpstr(seen.sample, ==, HEAD);
    forget(&seen);
    look(REPORT FIELDS SAMPLE "\n--b--\n", 10, &seen);
    g_assert_cmpstr(seen.head, ==, "outer.example 1@outer.example 1791784800");
    g_assert_cmpstr(seen.sample, ==, "Received: ");
    forget(&seen);
}

static void test_decode(void)
{
    g_autofree char *plain = message_decode_text("=?utf-8?q?=C3=A4?= and =?iso-8859-1?b?5A==?=");
    g_assert_cmpstr(plain, ==, "\xc3\xa4 and \xc3\xa4");
    g_autofree char *empty = message_decode_text("");
    g_assert_cmpstr(empty, ==, "");
}

/* What tells a report's fields from a mail's header. */
static void test_sniff(void)
{
    static const struct {
        const char *text;
        gboolean is;
    } rows[] = {
        {"Feedback-Type: auth-failure\n", TRUE},
        {"\r\nVersion: 1\r\nfeedback-type : x", TRUE},
        {"Message-ID: <x>\nAuthentication-Results: y\nFrom: z\nFeedback-Type: abuse\n", TRUE},
        {"Feedback-Types: x\n", FALSE},
        {"Feedback-Type", FALSE},
        {"From: a\nSubject: b\n\nFeedback-Type: auth-failure\n", FALSE},
        {"", FALSE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *name;
        enum content_kind kind = content_sniff((const guint8 *)rows[i].text, strlen(rows[i].text), &name);
        g_assert_cmpint(kind == CONTENT_FEEDBACK, ==, rows[i].is);
    }
}

int main(int argc G_GNUC_UNUSED, char **argv)
{
    unit_init(argv[0]);
    g_test_add_func("/sample/vectors", test_vectors);
    g_test_add_func("/sample/head", test_head);
    g_test_add_func("/sample/decode", test_decode);
    g_test_add_func("/sample/sniff", test_sniff);
    return g_test_run();
}
