/* A mail's journal as bytes: every member comes over, in whatever pieces. */
#include "tests/unit/told.h"
#include "tests/unit/unit.h"

#define ALL "bhrrtdwHPFFPTdfdhahrtxhrtdwe"

static void test_members(void)
{
    static const struct wire_table *const tables[] = {
        &wire_mail_auth,      &wire_report_head,     &wire_report_record, &wire_report_tail,
        &wire_tls_head,       &wire_tls_policy,      &wire_tls_failure,   &wire_tls_end_table,
        &wire_failure_report, &wire_ledger_document, &wire_warn_table,    &wire_mail_end,
        &wire_gave_up_table,  &wire_dkim_result,     &wire_spf_result,    &wire_override_reason,
        &wire_report_warning, &wire_tls_address};
    for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
        const struct wire_table *table = tables[i];
        g_autofree guint8 *seen = g_malloc0(table->size + 1);
        for (guint f = 0; f < table->n; f++) {
            const struct wire_field *field = &table->fields[f];
            for (guint b = 0; b < field->size; b++)
                g_assert_cmpuint(seen[field->offset + b]++, ==, 0);
            if (field->kind >= FIELD_ROWS && field->kind <= FIELD_NAMES && !(field->flags & FIELD_SHARED))
                for (guint b = 0; b < sizeof(guint); b++)
                    g_assert_cmpuint(seen[field->count + b]++, ==, 0);
        }
        /* What is left over only fills up to the next member that needs eight bytes, or to the end. */
        for (gsize at = 0, run = 0; at <= table->size; at++) {
            if (at < table->size && !seen[at]) {
                run++;
                continue;
            }
            if (run && (run >= 8 || at % 8))
                g_test_message("%s: %zu bytes before %zu are not told", table->name, run, at);
            g_assert_true(!run || (run < 8 && at % 8 == 0));
            run = 0;
        }
    }
}

static void test_round_trip(void)
{
    struct told t;
    struct recorder direct, to;
    gsize used;
    tell_all(&t);
    recorder_init(&direct);
    g_assert_true(tell(&direct.journal, &t, ALL));
    g_autoptr(GByteArray) bytes = bytes_of(&t, ALL);
    for (gsize cut = 0; cut < bytes->len; cut++) {
        g_autoptr(GError) error = NULL;
        recorder_init(&to);
        g_assert_cmpint(hear(&limits_default, bytes->data, bytes->len, cut, &to, &used, &error), ==,
                        WIRE_MAIL_END);
        g_assert_no_error(error);
        g_assert_cmpuint(used, ==, bytes->len);
        g_assert_true(strcmp(to.text->str, direct.text->str) == 0);
        g_string_free(to.text, TRUE);
    }
    g_string_free(direct.text, TRUE);
}

/* An answer that breaks off is no answer, wherever it does; and none is found in it. */
static void test_cut_off(void)
{
    struct told t;
    struct recorder to;
    gsize used;
    tell_all(&t);
    recorder_init(&to);
    g_autoptr(GByteArray) bytes = bytes_of(&t, ALL);
    for (gsize n = 0; n < bytes->len; n++) {
        gsize at = 0;
        g_assert_cmpint(hear(&limits_default, bytes->data, n, n, &to, &used, NULL), ==, WIRE_MORE);
        g_assert_cmpint(wire_find_end(&limits_default, bytes->data, n, &at), ==, WIRE_MORE);
    }
    g_string_free(to.text, TRUE);
}

/* Two answers in one piece: the first ends where the second begins. */
static void test_behind(void)
{
    struct told t;
    struct recorder to;
    gsize used, at = 0;
    tell_all(&t);
    recorder_init(&to);
    g_autoptr(GByteArray) one = bytes_of(&t, "be"), two = bytes_of(&t, "bebe");
    g_assert_cmpint(hear(&limits_default, two->data, two->len, two->len, &to, &used, NULL), ==,
                    WIRE_MAIL_END);
    g_assert_cmpuint(used, ==, one->len);
    g_assert_cmpint(wire_find_end(&limits_default, two->data, two->len, &at), ==, WIRE_MAIL_END);
    g_assert_cmpuint(at, ==, one->len);
    g_assert_cmpint(wire_find_end(&limits_default, two->data, two->len, &at), ==, WIRE_MAIL_END);
    g_assert_cmpuint(at, ==, two->len);
    g_string_free(to.text, TRUE);
}

static void test_journal_fails(void)
{
    struct told t;
    gsize used;
    tell_all(&t);
    g_autoptr(GByteArray) bytes = bytes_of(&t, "bhrtdHPFTdfde");
    /* The first call is brought_by, which cannot fail. */
    for (guint call = 2; call <= 13; call++) {
        g_autoptr(GError) error = NULL;
        struct recorder to;
        recorder_init(&to);
        to.fail_at = call;
        g_assert_cmpint(hear(&limits_default, bytes->data, bytes->len, 0, &to, &used, &error), ==,
                        WIRE_FAILED);
        g_assert_error(error, WS_ERROR, WS_ERROR_DB_DOWN);
        g_assert_cmpuint(to.calls, ==, call);
        g_string_free(to.text, TRUE);
    }
}

static void test_gave_up(void)
{
    struct told t;
    struct recorder to;
    gsize used;
    g_autoptr(GError) error = NULL, why = g_error_new(WS_ERROR, WS_ERROR_INPUT, "it \033 shrank");
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    struct wire_writer *writer = wire_writer_new(keep, bytes);
    tell_all(&t);
    recorder_init(&to);
    /* A word that nobody knows cannot be told: the mail fails, and nothing of the frame is left. */
    g_assert_true(tell(wire_writer_journal(writer), &t, "bhr"));
    t.record.disposition = "maybe";
    g_assert_false(tell(wire_writer_journal(writer), &t, "r"));
    wire_writer_give_up(writer, why);
    g_assert_true(wire_writer_flush(writer, NULL));
    g_assert_cmpint(hear(&limits_default, bytes->data, bytes->len, 0, &to, &used, &error), ==, WIRE_GAVE_UP);
    g_assert_error(error, WS_ERROR, WS_ERROR_INPUT);
    g_assert_cmpstr(error->message, ==, "it \\x1b shrank");
    g_assert_cmpuint(to.records, ==, 1);
    wire_writer_free(writer);
    g_string_free(to.text, TRUE);
}

static gboolean cannot_send(gpointer data G_GNUC_UNUSED, const guint8 *bytes G_GNUC_UNUSED,
                            gsize n G_GNUC_UNUSED, GError **error)
{
    g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "the socket broke");
    return FALSE;
}

/* Many records are sent while they come, and an error of that ends the telling. */
static void test_streams(void)
{
    struct told t;
    guint most = 0;
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    struct wire_writer *writer = wire_writer_new(keep, bytes), *mute = wire_writer_new(cannot_send, NULL);
    tell_all(&t);
    g_assert_true(tell(wire_writer_journal(writer), &t, "bh"));
    for (guint i = 0; i < 5000; i++) {
        guint before = bytes->len;
        g_assert_true(tell(wire_writer_journal(writer), &t, "r"));
        most = MAX(most, bytes->len - before);
    }
    g_assert_cmpuint(bytes->len, >, 1024 * 1024);
    g_assert_cmpuint(most, <, 70 * 1024);
    guint told = 0;
    while (told < 5000 && tell(wire_writer_journal(mute), &t, "r"))
        told++;
    g_assert_cmpuint(told, <, 1000);
    g_autoptr(GError) error = NULL;
    g_assert_false(wire_writer_flush(mute, &error));
    g_assert_cmpstr(error->message, ==, "the socket broke");
    wire_writer_free(writer);
    wire_writer_free(mute);
}

int main(int argc G_GNUC_UNUSED, char **argv)
{
    unit_init(argv[0]);
    suffixes = domain_list_new();
    g_test_add_func("/wire/members", test_members);
    g_test_add_func("/wire/round_trip", test_round_trip);
    g_test_add_func("/wire/cut_off", test_cut_off);
    g_test_add_func("/wire/behind", test_behind);
    g_test_add_func("/wire/journal_fails", test_journal_fails);
    g_test_add_func("/wire/gave_up", test_gave_up);
    g_test_add_func("/wire/streams", test_streams);
    int status = g_test_run();
    domain_list_free(suffixes);
    return status;
}
