/* What the wire costs: tells a mail with a report of RECORDS records (default 1) MAILS times (default
 * 100,000) to a buffer and hears it again with a journal that does nothing. Prints nanoseconds of CPU a mail,
 * and a record, for telling and for hearing. */
#include "tests/unit/told.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static gboolean on_struct(void *self G_GNUC_UNUSED, const void *object G_GNUC_UNUSED,
                          GError **error G_GNUC_UNUSED)
{
    return TRUE;
}

static gboolean on_begin(void *self, const struct report_head *head, GError **error)
{
    return on_struct(self, head, error);
}

static gboolean on_record(void *self, const struct report_record *record, GError **error)
{
    return on_struct(self, record, error);
}

static gboolean on_end(void *self, const struct report_tail *tail, GError **error)
{
    return on_struct(self, tail, error);
}

static gboolean on_document(void *self, const struct ledger_document *document, GError **error)
{
    return on_struct(self, document, error);
}

static gboolean on_mail_end(void *self, const struct mail_end *end, GError **error)
{
    return on_struct(self, end, error);
}

static void on_auth(void *self, const struct mail_auth *auth)
{
    on_struct(self, auth, NULL);
}

static gint64 now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return time.tv_sec * G_GINT64_CONSTANT(1000000000) + time.tv_nsec;
}

static gboolean forget(gpointer data, const guint8 *bytes, gsize n, GError **error G_GNUC_UNUSED)
{
    GByteArray *kept = data;
    if (kept)
        g_byte_array_append(kept, bytes, (guint)n);
    return TRUE;
}

static void tell_mail(struct wire_writer *writer, const struct told *t, gint64 records)
{
    tell(wire_writer_journal(writer), t, "bh");
    for (gint64 i = 0; i < records; i++)
        tell(wire_writer_journal(writer), t, "r");
    tell(wire_writer_journal(writer), t, "tde");
}

int main(int argc, char **argv)
{
    gint64 records = argc > 1 ? g_ascii_strtoll(argv[1], NULL, 10) : 1;
    gint64 mails = argc > 2 ? g_ascii_strtoll(argv[2], NULL, 10) : 100000;
    const struct report_sink sink = {on_begin, on_record, on_end, NULL, NULL};
    const struct journal nowhere = {
        .brought_by = on_auth, .reports = &sink, .document = on_document, .end = on_mail_end};
    struct told t;
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    struct wire_writer *one = wire_writer_new(forget, bytes), *many = wire_writer_new(forget, NULL);
    suffixes = domain_list_new();
    struct wire_reader *reader = wire_reader_new(&limits_default, suffixes);
    tell_all(&t);
    t.tail.records_seen = (guint64)records;
    tell_mail(one, &t, records);
    wire_writer_flush(one, NULL);
    gint64 start = now();
    for (gint64 i = 0; i < mails; i++)
        tell_mail(many, &t, records);
    gint64 told_all = now();
    for (gint64 i = 0; i < mails; i++) {
        gsize used;
        wire_reader_begin(reader, &nowhere);
        if (wire_reader_feed(reader, bytes->data, bytes->len, &used, NULL) != WIRE_MAIL_END)
            abort();
    }
    gint64 heard_all = now();
    printf("%u bytes a mail; telling %.0f ns a mail, %.0f a record; hearing %.0f ns a mail, %.0f a record\n",
           bytes->len, (double)(told_all - start) / (double)mails,
           (double)(told_all - start) / (double)(mails * records),
           (double)(heard_all - told_all) / (double)mails,
           (double)(heard_all - told_all) / (double)(mails * records));
    wire_writer_free(one);
    wire_writer_free(many);
    wire_reader_free(reader);
    domain_list_free(suffixes);
    return 0;
}
