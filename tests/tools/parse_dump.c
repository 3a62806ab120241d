/* Reads the XML files named as arguments and prints what the parser makes of them, one line of tab-separated
 * values a report: file, org_name, report_id, domain, begin, end, records seen, sum of counts, of those with
 * DKIM passed, with SPF passed, with either; warnings. A refusal is a line of file, "refused", code and
 * detail. */
#include "parser/aggregate.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct dump {
    const char *file;
    GString *head;
    gint64 sum, dkim, spf, either;
};

static gssize read_file(void *self, void *buf, gsize n, GError **error)
{
    gssize got = read(*(int *)self, buf, n);
    if (got < 0)
        g_set_error(error, G_FILE_ERROR, 0, "could not read");
    return got;
}

static const char *text(const char *value)
{
    return value != NULL ? value : "";
}

static gboolean on_begin(void *self, const struct report_head *head, GError **error G_GNUC_UNUSED)
{
    struct dump *dump = self;
    dump->sum = dump->dkim = dump->spf = dump->either = 0;
    g_string_printf(dump->head, "%s\t%s\t%s\t%s\t%" G_GINT64_FORMAT "\t%" G_GINT64_FORMAT, dump->file,
                    text(head->org_name), text(head->report_id), head->domain, head->begin, head->end);
    return TRUE;
}

static gboolean on_record(void *self, const struct report_record *record, GError **error G_GNUC_UNUSED)
{
    struct dump *dump = self;
    gboolean dkim = strcmp(record->dkim_verdict, "pass") == 0, spf = strcmp(record->spf_verdict, "pass") == 0;
    dump->sum += record->message_count;
    dump->dkim += dkim ? record->message_count : 0;
    dump->spf += spf ? record->message_count : 0;
    dump->either += dkim || spf ? record->message_count : 0;
    return TRUE;
}

static gboolean on_end(void *self, const struct report_tail *tail, GError **error G_GNUC_UNUSED)
{
    struct dump *dump = self;
    printf("%s\t%" G_GUINT64_FORMAT "\t%" G_GINT64_FORMAT "\t%" G_GINT64_FORMAT "\t%" G_GINT64_FORMAT
           "\t%" G_GINT64_FORMAT "\t%s",
           dump->head->str, tail->records_seen, dump->sum, dump->dkim, dump->spf, dump->either,
           tail->incomplete ? "incomplete " : "");
    for (guint i = 0; i < tail->n_warnings; i++)
        printf("%s%s:%u(%s)", i > 0 ? " " : "", tail->warnings[i].code, tail->warnings[i].count,
               text(tail->warnings[i].detail));
    putchar('\n');
    return TRUE;
}

static void on_abandon(void *self)
{
    struct dump *dump = self;
    g_string_truncate(dump->head, 0);
}

static int dump_file(const char *file, struct aggregate_parser *parser)
{
    struct dump dump = {.file = file, .head = g_string_new(NULL)};
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    struct byte_reader reader = {read_file, &fd};
    struct report_hints hints = {.file_name = file};
    struct report_sink sink = {on_begin, on_record, on_end, on_abandon, &dump};
    struct parse_outcome outcome;
    g_autoptr(GError) error = NULL;
    enum parse_status status = aggregate_parse(parser, reader, &hints, &sink, &outcome, &error);
    if (status == PARSE_FAILED)
        printf("%s\tfailed\t%s\n", file, error->message);
    else if (outcome.code != NULL)
        printf("%s\trefused\t%s\t%s\n", file, outcome.code, outcome.detail);
    parse_outcome_clear(&outcome);
    g_string_free(dump.head, TRUE);
    if (fd >= 0)
        close(fd);
    return status == PARSE_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct domain_list *suffixes = domain_list_new();
    struct aggregate_parser *parser = aggregate_parser_new(&limits_default, suffixes);
    int worst = 0;
    for (int i = 1; i < argc; i++)
        worst |= dump_file(argv[i], parser);
    aggregate_parser_free(parser);
    domain_list_free(suffixes);
    return worst;
}
