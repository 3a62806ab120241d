/* Reads mails to records and drops them, to measure parsing alone: every file in the directories named, and
 * every file named. Prints how many mails, reports, records and messages there were. */
#include "ingest/message.h"
#include "ingest/unpack.h"
#include "parser/aggregate.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { IN_MEMORY = 1024 * 1024 };

struct tally {
    struct aggregate_parser *parser;
    guint64 budget;
    guint64 mails, reports, records, messages, refused;
};

static gboolean on_begin(void *self G_GNUC_UNUSED, const struct report_head *head G_GNUC_UNUSED,
                         GError **error G_GNUC_UNUSED)
{
    return TRUE;
}

static gboolean on_record(void *self, const struct report_record *record, GError **error G_GNUC_UNUSED)
{
    struct tally *tally = self;
    tally->records++;
    tally->messages += (guint64)record->message_count;
    return TRUE;
}

static gboolean on_end(void *self, const struct report_tail *tail G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
    ((struct tally *)self)->reports++;
    return TRUE;
}

static void on_abandon(void *self G_GNUC_UNUSED)
{
}

static gboolean on_refusal(void *self, const char *label G_GNUC_UNUSED, const char *code G_GNUC_UNUSED,
                           const char *detail G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
    ((struct tally *)self)->refused++;
    return TRUE;
}

static gboolean on_document(void *self, const struct unpacked *document, GError **error)
{
    struct tally *tally = self;
    const struct report_sink sink = {on_begin, on_record, on_end, on_abandon, tally};
    const struct report_hints hints = {.file_name = document->name};
    struct parse_outcome outcome;
    if (document->kind != CONTENT_XML)
        return TRUE;
    enum parse_status status =
        aggregate_parse(tally->parser, document->reader, &hints, &sink, &outcome, error);
    parse_outcome_clear(&outcome);
    return status != PARSE_FAILED;
}

static gboolean on_part(void *self, const struct message_part *part, GError **error)
{
    struct tally *tally = self;
    return unpack_walk(part->content, part->label, part->file_name, &limits_default, &tally->budget,
                       on_document, on_refusal, tally, error);
}

static struct blob *open_mail(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    struct blob *blob = NULL;
    if (fd < 0 || fstat(fd, &status) != 0) {
        g_set_error(error, G_FILE_ERROR, 0, "cannot read it");
    } else if (status.st_size > IN_MEMORY) {
        blob = blob_new_fd(fd, 0, (guint64)status.st_size, error);
    } else {
        gsize n = (gsize)status.st_size;
        guint8 *data = g_malloc(n + 1);
        ssize_t got = read(fd, data, n);
        g_autoptr(GBytes) bytes = g_bytes_new_take(data, got > 0 ? (gsize)got : 0);
        blob = blob_new_bytes(bytes);
    }
    if (fd >= 0)
        close(fd);
    return blob;
}

static void read_mail(struct tally *tally, const char *path)
{
    g_autoptr(GError) error = NULL;
    struct message_head head = {0};
    struct blob *mail = open_mail(path, &error);
    tally->budget = limits_default.unpacked_total;
    tally->mails++;
    if (mail == NULL || !message_walk(mail, &limits_default, &head, on_part, on_refusal, tally, &error)) {
        fprintf(stderr, "%s: %s\n", path, error->message);
        exit(1);
    }
    message_head_clear(&head);
    blob_unref(mail);
}

int main(int argc, char **argv)
{
    struct domain_list *suffixes = domain_list_new();
    struct tally tally = {.parser = aggregate_parser_new(&limits_default, suffixes)};
    for (int i = 1; i < argc; i++) {
        g_autoptr(GDir) directory = g_dir_open(argv[i], 0, NULL);
        const char *name;
        if (directory == NULL)
            read_mail(&tally, argv[i]);
        while (directory != NULL && (name = g_dir_read_name(directory)) != NULL) {
            g_autofree char *path = g_build_filename(argv[i], name, NULL);
            read_mail(&tally, path);
        }
    }
    printf("%" G_GUINT64_FORMAT " mails, %" G_GUINT64_FORMAT " reports, %" G_GUINT64_FORMAT
           " records, %" G_GUINT64_FORMAT " messages, %" G_GUINT64_FORMAT " refused\n",
           tally.mails, tally.reports, tally.records, tally.messages, tally.refused);
    aggregate_parser_free(tally.parser);
    domain_list_free(suffixes);
    return 0;
}
