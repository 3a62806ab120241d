/* COPY BINARY, byte for byte, after PostgreSQL's documentation of the format. */
#include "db/pgcopy.h"
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/socket.h>

static GByteArray *out;

static void assert_bytes(const char *hex)
{
    g_autoptr(GString) is = g_string_new(NULL);
    for (guint i = 0; i < out->len; i++)
        g_string_append_printf(is, "%02x", out->data[i]);
    g_assert_cmpstr(is->str, ==, hex);
    g_byte_array_set_size(out, 0);
}

static void test_frame(void)
{
    pgcopy_header(out);
    assert_bytes("5047434f50590aff0d0a000000000000000000");
    pgcopy_row(out, 8);
    assert_bytes("0008");
    pgcopy_trailer(out);
    assert_bytes("ffff");
}

static void test_scalars(void)
{
    pgcopy_null(out);
    assert_bytes("ffffffff");
    pgcopy_text(out, NULL);
    assert_bytes("ffffffff");
    pgcopy_text(out, "");
    assert_bytes("00000000");
    pgcopy_text(out, "a\xc3\xa4");
    assert_bytes("0000000361c3a4");
    pgcopy_bytea(out, (const guint8 *)"\0\xff", 2);
    assert_bytes("0000000200ff");
    pgcopy_int4(out, -2);
    assert_bytes("00000004fffffffe");
    pgcopy_int8(out, G_MAXINT64);
    assert_bytes("000000087fffffffffffffff");
    pgcopy_bool(out, 5);
    pgcopy_bool(out, FALSE);
    assert_bytes("00000001010000000100");
    pgcopy_uuid(out, (const guint8 *)"0123456789abcdef");
    assert_bytes("0000001030313233343536373839616263646566");
}

/* Clamped to what the server can hold: 4714-11-24 BC to 294276-12-31. */
static void test_times(void)
{
    static const struct {
        gint64 seconds, day;
        const char *date, *time;
    } rows[] = {
        {946684800, 10957, "0000000400000000", "000000080000000000000000"},
        {946684801, 10957, "0000000400000000", "0000000800000000000f4240"},
        {946684799, 10956, "00000004ffffffff", "00000008fffffffffff0bdc0"},
        {0, 0, "00000004ffffd533", "00000008fffca2fec4c82000"},
        {-1, -1, "00000004ffffd532", "00000008fffca2fec4b8ddc0"},
        {-86400, -1, "00000004ffffd532", "00000008fffca2eaa6f0c000"},
        {G_MININT64, -2440588, "00000004ffda97a7", "00000008fd0f7cc1411fa000"},
        {G_MAXINT64, 106762939, "00000004065ce7ee", NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmpint(pgcopy_day(rows[i].seconds), ==, rows[i].day);
        pgcopy_date(out, rows[i].day);
        assert_bytes(rows[i].date);
        pgcopy_timestamptz(out, rows[i].seconds);
        if (rows[i].time)
            assert_bytes(rows[i].time);
        g_byte_array_set_size(out, 0);
    }
    g_assert_cmpint(pgcopy_clamp(1234567890), ==, 1234567890);
    g_assert_cmpint(pgcopy_clamp(G_MAXINT64), ==, pgcopy_clamp(G_MAXINT64 - 1));
    pgcopy_date(out, G_MAXINT64);
    assert_bytes("00000004065ce7ee");
}

static void test_inet(void)
{
    static const guint8 four[16] = {192, 0, 2, 1}, six[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
    pgcopy_inet(out, AF_INET, four);
    assert_bytes("0000000802200004c0000201");
    pgcopy_inet(out, AF_INET6, six);
    assert_bytes("000000140380001020010db8000000000000000000000001");
    pgcopy_inet(out, AF_UNSPEC, four);
    assert_bytes("ffffffff");
}

static void test_arrays(void)
{
    static const char *const texts[] = {"a", NULL, ""};
    pgcopy_text_array(out, texts, 0);
    assert_bytes("ffffffff");
    pgcopy_text_array(out, texts, 1);
    assert_bytes("00000019000000010000000000000019000000010000000100000001"
                 "61");
    pgcopy_text_array(out, texts, 3);
    assert_bytes("00000021000000010000000100000019000000030000000100000001"
                 "61ffffffff00000000");
}

int main(int argc, char **argv)
{
    (void)argc;
    unit_init(argv[0]);
    out = g_byte_array_new();
    g_test_add_func("/pgcopy/frame", test_frame);
    g_test_add_func("/pgcopy/scalars", test_scalars);
    g_test_add_func("/pgcopy/times", test_times);
    g_test_add_func("/pgcopy/inet", test_inet);
    g_test_add_func("/pgcopy/arrays", test_arrays);
    int failed = g_test_run();
    g_byte_array_unref(out);
    return failed;
}
