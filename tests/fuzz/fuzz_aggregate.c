/* The aggregate parser: its promises hold, the pieces in which a document comes make no difference, nor does
 * what the same parser read before, and where the document has no "pass" none comes out. */
#include "tests/fuzz/checked_sink.h"

static const struct report_hints hints = {.file_name = "r.example!example.org!1600000000!1600086399.xml",
                                          .from_domain = "r.example",
                                          .date = 1600050000,
                                          .now = 1700000000};

static gboolean holds(const guint8 *data, gsize size, const char *text)
{
    gsize n = strlen(text);
    for (gsize i = 0; i + n <= size; i++)
        if (g_ascii_strncasecmp((const char *)data + i, text, n) == 0)
            return TRUE;
    return FALSE;
}

/* A pass can stand in the document in other bytes: as references, between comments or CDATA sections, in an
 * encoding that is not like ASCII. */
static gboolean may_hide_a_pass(const guint8 *data, gsize size)
{
    return memchr(data, 0, size) != NULL || holds(data, size, "&") || holds(data, size, "<!") ||
           holds(data, size, "<?") || holds(data, size, "pass");
}

/* What the parser makes of a report that touches much of its state. Owned by the caller. */
static char *read_probe(struct aggregate_parser *parser, const struct limits *limits)
{
    static const char probe[] =
        "<feedback "
        "xmlns:e='urn:e'><report_metadata><email>a@r.example</email><date_range><begin>1600000000</begin>"
        "<end>1600086399</end></date_range></report_metadata><policy_published><domain>example.org</"
        "domain><p>none"
        "</p></policy_published><record><row><source_ip>192.0.2.1</source_ip><count>2</count></"
        "row><identifiers>"
        "<header_from>example.org</header_from></identifiers><auth_results><dkim><domain>a.example.org</"
        "domain>"
        "<result>pass</result></dkim></auth_results><e:x y='1'>z</e:x></record><unknown/></feedback>";
    struct pieces whole = {(const guint8 *)probe, sizeof probe - 1, 0};
    struct checked checked = {.limits = limits};
    return checked_parse_with(parser, &checked, (struct byte_reader){pieces_read, &whole}, NULL);
}

static void must_read_as_new(struct aggregate_parser *parser, const struct limits *limits, gboolean lowered)
{
    static char *wanted[2];
    if (wanted[lowered] == NULL) {
        struct aggregate_parser *fresh = aggregate_parser_new(limits, checked_suffixes());
        wanted[lowered] = read_probe(fresh, limits);
        aggregate_parser_free(fresh);
    }
    g_autofree char *came = read_probe(parser, limits);
    must_be_same(wanted[lowered], came);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    static const guint8 nothing[1];
    struct limits low = low_limits();
    gboolean lowered = size % 8 == 3;
    const struct limits *limits = lowered ? &low : &limits_default;
    const struct report_hints *told = size % 2 == 1 ? &hints : NULL;
    data = size > 0 ? data : nothing;

    struct pieces whole = {data, size, 0};
    struct checked checked = {.limits = limits};
    struct aggregate_parser *parser = aggregate_parser_new(limits, checked_suffixes());
    g_autofree char *first =
        checked_parse_with(parser, &checked, (struct byte_reader){pieces_read, &whole}, told);
    MUST(checked.passes == 0 || may_hide_a_pass(data, size));

    struct pieces cut = {data, size, size % 5 == 0 ? 1 : 1 + size % 37};
    struct checked again = {.limits = limits, .fail_at = size % 8 == 5 ? 1 + (guint)(size % 7) : 0};
    g_autofree char *second =
        checked_parse_with(parser, &again, (struct byte_reader){pieces_read, &cut}, told);
    /* A limit is looked at ahead of the place where the parser stands. */
    if (again.fail_at == 0 && !lowered)
        must_be_same(first, second);

    struct pieces same = {data, size, 0};
    struct checked reused = {.limits = limits};
    g_autofree char *third =
        checked_parse_with(parser, &reused, (struct byte_reader){pieces_read, &same}, told);
    must_be_same(first, third);
    must_read_as_new(parser, limits, lowered);
    aggregate_parser_free(parser);
    return 0;
}
