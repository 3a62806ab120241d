/* Tells every mail in the directories and files named to a journal, directly and over the wire, and compares:
 * the answer fed as a whole, byte by byte, in two pieces cut at each offset (at up to CUTS of them in a long
 * answer), and several answers behind each other. Limits come first, as name=value. Prints how many mails,
 * frames' bytes and cuts there were, or the first difference. */
#include "ingest/journey.h"
#include "ingest/wire.h"
#include "tests/unit/recorder.h"

#include <stdio.h>
#include <stdlib.h>

enum { CUTS = 100, BYTE_BY_BYTE = 20000 };

struct check {
    struct run_settings settings;
    struct limits limits;
    struct writer_settings writer;
    struct trust_rules trust;
    struct wire_reader *reader;
    GByteArray *all; /* the answers so far, one behind the other */
    GString *told;
    guint64 mails, bytes, cuts;
};

static gboolean keep(gpointer data, const guint8 *bytes, gsize n, GError **error G_GNUC_UNUSED)
{
    g_byte_array_append(data, bytes, (guint)n);
    return TRUE;
}

static void fail(const char *path, const char *how, const char *first, const char *second)
{
    gsize at = 0;
    while (first[at] && first[at] == second[at])
        at++;
    at -= MIN(at, 200);
    printf("%s: %s\n-- directly --\n%.400s\n-- over the wire --\n%.400s\n", path, how, first + at,
           second + at);
    exit(1);
}

/* Feeds `bytes` with a cut after `first` of them; 0: byte by byte. */
static void hear(struct check *check, const char *path, const GByteArray *bytes, gsize first,
                 const char *expected)
{
    struct recorder to;
    g_autoptr(GError) error = NULL;
    enum wire_status status = WIRE_MORE;
    gsize at = 0;
    recorder_init(&to);
    wire_reader_begin(check->reader, &to.journal);
    while (at < bytes->len && status == WIRE_MORE) {
        gsize used, n = !first ? 1 : at < first ? first - at : bytes->len - at;
        status = wire_reader_feed(check->reader, bytes->data + at, n, &used, &error);
        at += used;
    }
    if (status != WIRE_MAIL_END || at != bytes->len)
        fail(path, error ? error->message : "no end", expected, to.text->str);
    if (strcmp(to.text->str, expected) != 0)
        fail(path, "another journal", expected, to.text->str);
    g_string_free(to.text, TRUE);
    check->cuts++;
}

static void look_for_end(struct check *check, const char *path, const GByteArray *bytes)
{
    gsize at = 0;
    for (gsize n = 0; n < bytes->len; n += 1 + bytes->len / CUTS)
        if (wire_find_end(&check->limits, bytes->data, n, &at) != WIRE_MORE)
            fail(path, "an end too early", "", "");
    if (wire_find_end(&check->limits, bytes->data, bytes->len, &at) != WIRE_MAIL_END || at != bytes->len)
        fail(path, "the end was not found", "", "");
}

static void check_mail(struct check *check, const char *path)
{
    g_autofree char *data = NULL, *name = g_path_get_basename(path);
    gsize size;
    g_autoptr(GError) error = NULL;
    if (!g_file_get_contents(path, &data, &size, &error))
        fail(path, error->message, "", "");
    g_autoptr(GBytes) all = g_bytes_new_static(data, size);
    struct mail mail = {.name = name, .may_be_bare = TRUE, .body = blob_new_bytes(all)};
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    struct wire_writer *writer = wire_writer_new(keep, bytes);
    struct recorder direct;
    recorder_init(&direct);
    if (!journey_tell(&direct.journal, &mail, &check->settings, &error) ||
        !journey_tell(wire_writer_journal(writer), &mail, &check->settings, &error) ||
        !wire_writer_flush(writer, &error))
        fail(path, error->message, direct.text->str, "");
    look_for_end(check, path, bytes);
    hear(check, path, bytes, bytes->len, direct.text->str);
    if (bytes->len < BYTE_BY_BYTE)
        hear(check, path, bytes, 0, direct.text->str);
    for (gsize cut = 1; cut < bytes->len; cut += 1 + bytes->len / CUTS)
        hear(check, path, bytes, cut, direct.text->str);
    g_byte_array_append(check->all, bytes->data, bytes->len);
    g_string_append(check->told, direct.text->str);
    check->mails++;
    check->bytes += bytes->len;
    g_string_free(direct.text, TRUE);
    wire_writer_free(writer);
    blob_unref(mail.body);
}

/* All answers one behind the other, in pieces of odd sizes. */
static void hear_all(struct check *check)
{
    struct recorder to;
    g_autoptr(GError) error = NULL;
    guint64 mails = 0;
    recorder_init(&to);
    wire_reader_begin(check->reader, &to.journal);
    for (gsize at = 0, used; at < check->all->len; at += used) {
        enum wire_status status = wire_reader_feed(check->reader, check->all->data + at,
                                                   MIN(4099, check->all->len - at), &used, &error);
        if (status == WIRE_MAIL_END) {
            mails++;
            wire_reader_begin(check->reader, &to.journal);
        } else if (status != WIRE_MORE) {
            fail("all", error->message, check->told->str, to.text->str);
        }
    }
    if (mails != check->mails || strcmp(to.text->str, check->told->str) != 0)
        fail("all", "another journal", check->told->str, to.text->str);
    g_string_free(to.text, TRUE);
}

static void check_path(struct check *check, const char *path)
{
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    const char *name;
    if (!directory)
        check_mail(check, path);
    while (directory && (name = g_dir_read_name(directory))) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        check_path(check, inner);
    }
}

/* "name=value" */
static gboolean set_limit(struct limits *limits, const char *argument)
{
    g_auto(GStrv) pair = g_strsplit(argument, "=", 2);
    return g_strv_length(pair) == 2 && limits_set(limits, pair[0], g_ascii_strtoull(pair[1], NULL, 10));
}

int main(int argc, char **argv)
{
    static char id[] = "mx.example.org", *ids[] = {id, NULL};
    struct check check = {.limits = limits_default,
                          .writer = writer_defaults,
                          .trust = {.authserv_ids = ids},
                          .all = g_byte_array_new(),
                          .told = g_string_new(NULL)};
    struct domain_list *suffixes = domain_list_new();
    check.writer.trust = &check.trust;
    check.writer.suffixes = suffixes;
    int first = 1;
    while (first < argc && set_limit(&check.limits, argv[first]))
        first++;
    struct aggregate_parser *parser = aggregate_parser_new(&check.limits, suffixes);
    check.settings = (struct run_settings){.limits = &check.limits,
                                           .writer = &check.writer,
                                           .suffixes = suffixes,
                                           .parser = parser,
                                           .now = 1700000000};
    check.reader = wire_reader_new(&check.limits, suffixes);
    for (int i = first; i < argc; i++)
        check_path(&check, argv[i]);
    hear_all(&check);
    printf("%" G_GUINT64_FORMAT " mails, %" G_GUINT64_FORMAT " bytes, fed in %" G_GUINT64_FORMAT " ways\n",
           check.mails, check.bytes, check.cuts);
    wire_reader_free(check.reader);
    aggregate_parser_free(parser);
    domain_list_free(suffixes);
    g_byte_array_unref(check.all);
    g_string_free(check.told, TRUE);
    return 0;
}
