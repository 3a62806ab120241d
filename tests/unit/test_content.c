/* What media types and file names claim, against what the bytes are. */
#include "ingest/content.h"
#include "tests/unit/unit.h"

struct claim {
    const char *code; /* of the deviation, or "" */
    enum content_kind kind;
    const char *text;
    gboolean lie;
};

static const struct claim types[] = {
    {"", CONTENT_GZIP, "application/gzip", FALSE},
    {"", CONTENT_GZIP, "application/x-gzip", FALSE},
    {"", CONTENT_GZIP, "application/tlsrpt+gzip", FALSE},
    {"C5", CONTENT_GZIP, "application/octet-stream", FALSE},
    {"C5", CONTENT_GZIP, "application/zip", TRUE},
    {"C5", CONTENT_GZIP, "application/x-zip-compressed", TRUE},
    {"C5", CONTENT_GZIP, "text/plain", TRUE},
    {"C5", CONTENT_GZIP, "application/json", TRUE},
    {"C5", CONTENT_GZIP, "multipart/alternative", TRUE},
    {"C5", CONTENT_GZIP, "nonsense", TRUE},
    {"C5", CONTENT_ZIP, "application/x-zip-compressed", FALSE},
    {"C5", CONTENT_ZIP, "application/gzip", TRUE},
    {"C9", CONTENT_XML, "text/xml", FALSE},
    {"C9", CONTENT_XML, "application/xml", FALSE},
    {"C9", CONTENT_XML, "application/dmarc+xml", FALSE},
    {"C9", CONTENT_XML, "text/plain", FALSE},
    {"C9", CONTENT_XML, "application/zip", TRUE},
    {"C9", CONTENT_XML, "text/html", TRUE},
    {"", CONTENT_JSON, "application/tlsrpt+json", FALSE},
    {"", CONTENT_JSON, "text/plain", FALSE},
    {"", CONTENT_JSON, "text/xml", TRUE},
    /* What can be no report is nobody's lie. */
    {"", CONTENT_OTHER, "application/zip", FALSE},
    {"", CONTENT_EMPTY, "application/zip", FALSE},
    {"", CONTENT_MAIL, "text/plain", FALSE},
};

static const struct claim names[] = {
    {"C6", CONTENT_GZIP, "r.zip", TRUE},
    {"C6", CONTENT_GZIP, "R.XML", TRUE},
    {"C6", CONTENT_ZIP, "a.example!b.example!1!2.xml.gz", TRUE},
    {"C6", CONTENT_XML, "r.xml.zip", TRUE},
    {"C6", CONTENT_GZIP, "r.xml.GZ", FALSE},
    {"C10", CONTENT_ZIP, "r.xml.zip", FALSE},
    {"", CONTENT_JSON, "r.json", FALSE},
    {"", CONTENT_JSON, "r.xml", TRUE},
    /* Endings that claim nothing, cut off, or none. */
    {"C8", CONTENT_GZIP, "eml", FALSE},
    {"C8", CONTENT_GZIP, "a.example!b.example!1538400000!15384", FALSE},
    {"C8", CONTENT_ZIP, "r.dat", FALSE},
    {"C8", CONTENT_XML, "", FALSE},
    {"", CONTENT_OTHER, "r.zip", FALSE},
};

static void check(const struct claim *claims, gsize n, gboolean (*belies)(enum content_kind, const char *))
{
    for (gsize i = 0; i < n; i++) {
        gboolean lie = belies(claims[i].kind, claims[i].text);
        if (lie != claims[i].lie) {
            g_test_message("%s as %d: %s", claims[i].text, claims[i].kind, lie ? "a lie" : "no lie");
            g_test_fail();
        }
        unit_deviation(claims[i].code, lie == claims[i].lie);
    }
}

static void test_types(void)
{
    check(types, G_N_ELEMENTS(types), content_belies_type);
}

static void test_names(void)
{
    check(names, G_N_ELEMENTS(names), content_belies_name);
}

int main(int argc, char **argv)
{
    (void)argc;
    unit_init(argv[0]);
    g_test_add_func("/content/types", test_types);
    g_test_add_func("/content/names", test_names);
    return g_test_run();
}
