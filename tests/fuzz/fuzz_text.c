/* The small decoders, each with a rule that must hold for any bytes: base64, labels, folder names, domains,
 * addresses, dates, words, and what bytes are by their start. */
#include "ingest/base64.h"
#include "ingest/content.h"
#include "ingest/label.h"
#include "ingest/mutf7.h"
#include "parser/address.h"
#include "parser/dates.h"
#include "parser/words.h"
#include "tests/fuzz/fuzz.h"

#include <arpa/inet.h>

static GByteArray *decode(const guint8 *data, gsize size, gsize step)
{
    struct base64 state = {0};
    GByteArray *out = g_byte_array_new();
    for (gsize at = 0, n; at < size; at += n) {
        n = MIN(step, size - at);
        g_autofree guint8 *space = g_malloc(BASE64_SPACE(n));
        g_byte_array_append(out, space, (guint)base64_decode(&state, data + at, n, space));
    }
    guint8 last[2];
    gsize n = base64_finish(&state, last);
    MUST(n <= sizeof last);
    g_byte_array_append(out, last, (guint)n);
    return out;
}

static void try_base64(const guint8 *data, gsize size)
{
    GByteArray *whole = decode(data, size, size + 1), *cut = decode(data, size, 1 + size % 7);
    MUST(whole->len == cut->len && (cut->len == 0 || memcmp(whole->data, cut->data, cut->len) == 0));
    g_byte_array_free(whole, TRUE);
    g_byte_array_free(cut, TRUE);
    g_autofree char *encoded = g_base64_encode(data, size);
    GByteArray *back = decode((const guint8 *)encoded, strlen(encoded), 5);
    MUST(back->len == size && (size == 0 || memcmp(back->data, data, size) == 0));
    g_byte_array_free(back, TRUE);
}

static void try_label(const char *text, gsize size)
{
    gsize max = 20 + size % 50;
    g_autofree char *safe = label_safe(text, (gssize)size, max);
    MUST(strlen(safe) <= max);
    must_be_text(safe);
    for (const char *c = safe; *c != '\0'; c++)
        MUST((guchar)*c >= ' ' && *c != 0x7f);
    g_autofree char *joined = label_join("outer", safe);
    must_be_text(joined);
}

static void try_folder(const char *text)
{
    g_autofree char *name = mutf7_encode(text);
    MUST((name != NULL) == g_utf8_validate(text, -1, NULL));
    for (const char *c = name; c != NULL && *c != '\0'; c++)
        MUST(*c >= ' ' && *c < 0x7f);
}

static void try_domain(const char *text)
{
    static struct domain_list *list;
    gboolean ok, again_ok;
    if (list == NULL)
        list = domain_list_new();
    g_autofree char *name = domain_normalise(text, &ok);
    must_be_text(name);
    if (!ok)
        return;
    MUST(strlen(name) <= 253);
    g_autofree char *again = domain_normalise(name, &again_ok);
    MUST(again_ok && strcmp(name, again) == 0);
    const char *organizational = domain_organizational(list, name);
    MUST(organizational >= name && organizational <= name + strlen(name));
    MUST(*name == '\0' || domain_aligned(list, organizational, name, FALSE));
    MUST(*name == '\0' || domain_aligned(list, name, name, TRUE));
}

static void try_address(const char *text)
{
    guint8 ip[16], same[16];
    enum ip_form form;
    int family = address_parse_ip(text, ip, &form);
    MUST((family == AF_UNSPEC) == (form == IP_MASKED || form == IP_NONE));
    if (family != AF_UNSPEC) {
        char shown[INET6_ADDRSTRLEN];
        MUST(inet_ntop(family, ip, shown, sizeof shown) != NULL);
        MUST(address_parse_ip(shown, same, &form) == family && form == IP_PLAIN);
        MUST(memcmp(ip, same, sizeof ip) == 0);
    }
    gboolean plain;
    g_autofree char *domain = address_mail_domain(text, &plain);
    MUST(domain == NULL || *domain != '\0');
    MUST(domain != NULL || !plain);
    must_be_text(domain);
    gint64 begin, end;
    char *receiver = NULL, *policy = NULL;
    if (address_report_file_name(text, &receiver, &policy, &begin, &end))
        MUST(receiver != NULL && policy != NULL && begin >= 0 && end >= 0);
    g_free(receiver);
    g_free(policy);
}

static void try_words(const char *text)
{
    gint64 seconds;
    enum date_form form = date_parse(text, &seconds);
    MUST(form != DATE_NONE || seconds == 0);
    MUST(seconds >= 0 && seconds <= G_GINT64_CONSTANT(100000000000));
    gboolean pass = g_ascii_strcasecmp(text, "pass") == 0;
    MUST(pass == (g_strcmp0(word_verdict(text), "pass") == 0));
    MUST(pass == (g_strcmp0(word_dkim_result(text), "pass") == 0));
    MUST(pass == (g_strcmp0(word_spf_result(text), "pass") == 0));
    MUST(pass == (g_strcmp0(word_disposition(text), "pass") == 0));
    must_be_one_of(word_alignment(text), "r s");
    must_be_one_of(word_policy(text), "none quarantine reject");
    must_be_one_of(word_scope(text), "mfrom helo");
    must_be_one_of(word_yes_no(text), "y n");
    must_be_one_of(word_discovery(text), "psl treewalk");
    word_reason(text);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    const char *kind_name = NULL;
    enum content_kind kind = content_sniff(data, MIN(size, (gsize)CONTENT_SNIFF), &kind_name);
    MUST(kind != CONTENT_OTHER_ARCHIVE || kind_name != NULL);
    try_base64(data, size);
    try_label((const char *)data, size);
    try_folder(text);
    try_domain(text);
    if (!g_utf8_validate(text, -1, NULL))
        return 0;
    /* The parser takes off the white space before it asks. */
    g_strstrip(text);
    try_address(text);
    try_words(text);
    return 0;
}
