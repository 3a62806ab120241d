/* Reads documents from standard input, each as a line with its length and then its bytes, and prints all that
 * the aggregate parser makes of them, for comparison with another reader. Lines of tab-separated values:
 * report, record, and below a record dkim, spf and reason; then end or abandon, and for each document its
 * status and code. A text is "=" and its bytes, escaped as in C; "-" is none. */
#include "parser/aggregate.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

struct bytes {
    const char *data;
    gsize left;
};

static gssize bytes_read(void *self, void *buf, gsize n, GError **error G_GNUC_UNUSED)
{
    struct bytes *bytes = self;
    gsize take = MIN(n, bytes->left);
    for (gsize i = 0; i < take; i++)
        ((char *)buf)[i] = bytes->data[i];
    bytes->data += take;
    bytes->left -= take;
    return (gssize)take;
}

static void put(const char *text)
{
    g_autofree char *escaped = text != NULL ? g_strescape(text, NULL) : NULL;
    printf("\t%s%s", text != NULL ? "=" : "-", text != NULL ? escaped : "");
}

static void put_number(gint64 number)
{
    printf("\t%" G_GINT64_FORMAT, number);
}

static gboolean on_begin(void *self G_GNUC_UNUSED, const struct report_head *head,
                         GError **error G_GNUC_UNUSED)
{
    fputs("report", stdout);
    put(head->domain);
    put(head->report_id);
    put_number(head->begin);
    put_number(head->end);
    put(head->p);
    put(head->sp);
    put(head->adkim);
    put(head->aspf);
    putchar('\n');
    return TRUE;
}

static void put_result(const char *kind, const char *domain, const char *second, const char *result)
{
    fputs(kind, stdout);
    put(domain);
    put(second);
    put(result);
    putchar('\n');
}

static gboolean on_record(void *self G_GNUC_UNUSED, const struct report_record *record,
                          GError **error G_GNUC_UNUSED)
{
    char ip[INET6_ADDRSTRLEN] = "";
    if (record->family != AF_UNSPEC)
        inet_ntop(record->family, record->source_ip, ip, sizeof ip);
    fputs("record", stdout);
    put(*ip != '\0' ? ip : NULL);
    put(record->source_raw);
    put_number(record->message_count);
    put(record->header_from);
    put(record->envelope_from);
    put(record->envelope_to);
    put(record->disposition);
    put(record->dkim_verdict);
    put(record->spf_verdict);
    put_number(record->verdict_computed);
    put_number(record->dkim_aligned);
    put_number(record->spf_aligned);
    putchar('\n');
    for (guint i = 0; i < record->n_dkim; i++)
        put_result("dkim", record->dkim[i].domain, record->dkim[i].selector, record->dkim[i].result);
    for (guint i = 0; i < record->n_spf; i++)
        put_result("spf", record->spf[i].domain, record->spf[i].scope, record->spf[i].result);
    for (guint i = 0; i < record->n_reasons; i++)
        put_result("reason", record->reasons[i].type, record->reasons[i].comment, NULL);
    return TRUE;
}

static gboolean on_end(void *self G_GNUC_UNUSED, const struct report_tail *tail, GError **error G_GNUC_UNUSED)
{
    printf("end\t%" G_GUINT64_FORMAT "\t%d\n", tail->records_seen, tail->incomplete);
    return TRUE;
}

static void on_abandon(void *self G_GNUC_UNUSED)
{
    puts("abandon");
}

static void parse(const char *data, gsize length, struct aggregate_parser *parser)
{
    static const char *const ends[] = {"ok", "refused", "partly", "failed"};
    struct bytes bytes = {data, length};
    struct report_sink sink = {on_begin, on_record, on_end, on_abandon, NULL};
    struct parse_outcome outcome;
    enum parse_status status =
        aggregate_parse(parser, (struct byte_reader){bytes_read, &bytes}, NULL, &sink, &outcome, NULL);
    printf("document\t%s", ends[status]);
    put(outcome.code);
    put(outcome.detail);
    putchar('\n');
    parse_outcome_clear(&outcome);
}

int main(void)
{
    struct domain_list *suffixes = domain_list_new();
    struct aggregate_parser *parser = aggregate_parser_new(&limits_default, suffixes);
    char line[32];
    while (fgets(line, sizeof line, stdin) != NULL) {
        gsize length = (gsize)g_ascii_strtoull(line, NULL, 10);
        g_autofree char *data = g_malloc(length + 1);
        if (fread(data, 1, length, stdin) != length)
            return 1;
        parse(data, length, parser);
    }
    aggregate_parser_free(parser);
    domain_list_free(suffixes);
    return 0;
}
