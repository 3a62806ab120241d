/* Dates of header fields: the standard's form, the obsolete ones, and what is none. */
#include "parser/dates.h"
#include "unit.h"

#include <string.h>

static const struct {
    const char *text;
    gint64 seconds; /* -1: none */
} vectors[] = {
    {"Mon, 12 Oct 2026 08:00:00 +0200", 1791784800},
    {"Wed, 12 Oct 2026 08:00:00 +0200", 1791784800}, /* the day's name is not looked at */
    {"12 Oct 2026 06:00:00 GMT", 1791784800},
    {"12 Oct 2026 06:00 +0000", 1791784800},
    {"12 Oct 2026 06:00:00", 1791784800},
    {"Mon,12 Oct 2026 08:00:00 +0200 (CEST)", 1791784800},
    {"(a (nested) comment) 12 (x) October 2026 06:00:00 -0000", 1791784800},
    {"12 OCT 26 06:00:00 UT", 1791784800},
    {"12 Oct 126 06:00:00 Z", 1791784800},
    {"12 Oct 2026 02:00:00 EDT", 1791784800},
    {"11 Oct 2026 22:00:00 pst", 1791784800},
    {"12 Oct 2026 11:30:00 +0530", 1791784800},
    {"12 Oct 2026 06:00:00 X", 1791784800}, /* RFC 5322 section 4.3: says nothing */
    {"12 Oct 2026 06:00:00 +9999", 1791784800},
    {"31 Dec 2016 23:59:60 +0000", 1483228799},
    {"1 Jan 1970 00:00:00 +0000", 0},
    {"29 Feb 2024 00:00:00 +0000", 1709164800},
    {"1 Jan 70 00:00:00 +0000", 0},
    {"1 Jan 2049 00:00:00 +0000", 2493072000},
    {"29 Feb 2026 00:00:00 +0000", -1},
    {"31 Dec 1969 23:59:59 +0000", -1},
    {"1 Jan 1970 00:00:00 +0200", -1},
    {"32 Oct 2026 06:00:00 +0000", -1},
    {"0 Oct 2026 06:00:00 +0000", -1},
    {"12 Foo 2026 06:00:00 +0000", -1},
    {"12 Oc 2026 06:00:00 +0000", -1},
    {"12 Oct 2026 24:00:00 +0000", -1},
    {"12 Oct 2026 06:61:00 +0000", -1},
    {"12 Oct 2026 06:00:61 +0000", -1},
    {"12 Oct 2026 06", -1},
    {"12 Oct 2026 06:00:00:00", -1},
    {"12 Oct 2026 006:00", -1},
    {"12 Oct 2026", -1},
    {"12 Oct 99999 06:00:00", -1},
    {"2026-10-12T06:00:00Z", -1},
    {"yesterday", -1},
    {"Mon", -1},
    {"(12 Oct 2026 06:00:00 +0000", -1},
    {"", -1},
};

static void test_mail(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
        gint64 seconds = 1;
        gboolean ok = date_parse_mail(vectors[i].text, &seconds);
        if (ok != (vectors[i].seconds >= 0) || seconds != MAX(vectors[i].seconds, 0))
            g_error("\"%s\" became %d %" G_GINT64_FORMAT, vectors[i].text, ok, seconds);
    }
    g_autofree char *long_text = g_strnfill(201, ' ');
    memcpy(long_text, vectors[0].text, strlen(vectors[0].text));
    gint64 seconds;
    g_assert_false(date_parse_mail(long_text, &seconds));
    long_text[200] = '\0';
    g_assert_true(date_parse_mail(long_text, &seconds));
}

/* Cut anywhere it is a date or none, and reads nothing behind the end. */
static void test_cut(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
        for (gsize n = 0; n <= strlen(vectors[i].text); n++) {
            g_autofree char *text = g_strndup(vectors[i].text, n);
            gint64 seconds;
            g_assert_true(date_parse_mail(text, &seconds) || seconds == 0);
        }
    }
}

int main(int argc G_GNUC_UNUSED, char **argv)
{
    unit_init(argv[0]);
    g_test_add_func("/dates/mail", test_mail);
    g_test_add_func("/dates/cut", test_cut);
    return g_test_run();
}
