#include "ingest/warm.h"

#include "ingest/message.h"
#include "ingest/unpack.h"
#include "parser/error.h"
#include "parser/sha256.h"
#include "parser/tls.h"

#include <iconv.h>
#include <string.h>
#include <time.h>

/* One of each: zip and gzip, encodings of one and of several bytes for a character, encoded header fields,
 * JSON. */
static const char sample[] =
    "From: =?koi8-r?B?8M/e1NE=?= <a@example.com>\n"
    "Subject: =?iso-2022-jp?B?GyRCRnxLXBsoQg==?= =?gb2312?B?1tA=?=\n"
    "Date: Thu, 01 Oct 2026 00:00:00 +0200\n"
    "Content-Type: multipart/mixed; boundary=b\n"
    "\n"
    "--b\n"
    "Content-Type: application/zip\n"
    "Content-Transfer-Encoding: base64\n"
    "\n"
    "UEsDBBQAAAAIADEVdl3gCKJGQwEAAIoCAAAFAAAAYS54bWx9kkFugzAQRa9SsS8GNg3SxOlNkIMH\n"
    "Mgr2WLZJ0+P1BN103TP0CDUlJESRumL+h/nzPAZ2ZzM8ndAHYrvNyrzIntC2rMn22+zItHn22U5C\n"
    "h6j3qj1K8OjYx8ZgVFpFJYF931hlUP58fn99gLhqQKNokOoVz8q4AfOWDYjZXGJIyxLETUDKxMYr\n"
    "26f+PfZkZflSF5uy2hQFiNkBtHq267qs65SZNIh1q3jAdDxQ+964cT9QOOA0ihOKlQtd4k4ZswdO\n"
    "WrYIwqWox06PLfvpyW8SAo++xYacLOsqL/IqTye6mdDyaKOsQMzFAoInNYyJeAKh4DhQTFdwGbt2\n"
    "QB/JyC5tLflTCcF1Fz1VV8BVovgjI402UkfpdiUcUGn0TefZ3B95/QLEXY8a46HxGMYhhnnsv0ub\n"
    "v7ygXcTCeB8llg2K64/1C1BLAwQUAAAACAAxFXZdZi7ZUEABAACMAgAABQAAAGIueG1sfZJNboMw\n"
    "EIWvEnEADGwapInTm1gOHmAa/CPbpKl6jEo9bFc1BRKiSF0x78G8+TwGjlc97C7oA1lzyMq8yHZo\n"
    "GqvIdIcs9NRG8UYhO3JoEdVJNmcOHp31UWiMUskoOVjfCSM18q+f709gNwmoJQ1cvuJVajdg3lgN\n"
    "bDbXFFK8AnYXkCJReGm61H/CjgwvX+piX1b7ogA2O4BGzXZdl3WdMpMGtm1lT5TODtR8CDeeBgo9\n"
    "TqNsQjF8pUvcKWP2wHFjDQJzKeq502Nj/fS07xyCHX2Dghwv6yov8iovgd1NaOxo4nTKuVhB8CKH\n"
    "MRFPIBScDRTTJSxjtw6oM2nepq0lfyohuHbRU3UD3CSyPzJSaCK1lO6XQ49SoRett/rxyNsXwB56\n"
    "5Bh74TGMQwzz2H+XNn+5oC1iZXyMYusG2e2/+gVQSwECFAMUAAAACAAxFXZd4AiiRkMBAACKAgAA\n"
    "BQAAAAAAAAAAAAAAgAEAAAAAYS54bWxQSwECFAMUAAAACAAxFXZdZi7ZUEABAACMAgAABQAAAAAA\n"
    "AAAAAAAAgAFmAQAAYi54bWxQSwUGAAAAAAIAAgBmAAAAyQIAAAAA\n"
    "--b\n"
    "Content-Type: application/gzip\n"
    "Content-Transfer-Encoding: base64\n"
    "\n"
    "H4sIAAAAAAACA32Sy26DMBBFfyViXwxUVYM0cfod3SDHHmAU/JBtknTXD++ipkAeitSVZ649d47H\n"
    "hv1FD5sT+kDW7LIyL7INGmkVmW6Xnckoew4vZfVWZXsOLaI6CHnk4NFZHxuNUSgRBQfru8YIjfzz\n"
    "x3+T7IFdFUAtaODiAy9CuwFzaTWwWVyNSPFXYLcEkis2Xpgu1R+wI8PL97rYltW2KIDNCqBRs1zX\n"
    "ZV0nz5QDuy9lT6DODiS/GjceBgo9Tq1sQjF8pUvcyWPWwHFjDQJzyeq50qO0flrtmUOwo5fYkONl\n"
    "XeVFXuUlsJsI0o4m8grYHKwgeBLDmIgnEArOBorpKZa29wqoI2nepqklfQohuHbJp+gKeOfI/shI\n"
    "oYnUUnplDj0Khb5pvdWPV77fAPZQI8bYNx7DOMQwt/13aPPJBW1JVsZHK7ZOkF2/1i8zT86IkgIA\n"
    "AA==\n"
    "--b\n"
    "Content-Type: application/gzip\n"
    "Content-Transfer-Encoding: base64\n"
    "\n"
    "H4sIAAAAAAACA51U7W6CQBCcRzH9X1HTtDW5Yp+jfxrEQ4nyEYTWvnvTdnY5UkAwxpBwtztzu3Pj\n"
    "4u+PwQonJDhggg9YFDgiRoYUL7jDHFPMuE6IpAiZ3xBNsVW0QokI92Q9MlrBh2Fs+WywRkD+XnMF\n"
    "MznPFuS/s5flGpAT6CoMwbbEUsaC+3jDN3MG3gBm+E4YxVTtc31lfFI0Z8ZSsyhN9HSb2VcSU4OP\n"
    "B+UNIcZptMwU3Mm96/5rrlt1wuftn7CkS8/cLfie8ZGKbY5R/zYd9pLPXN+1ztT19Ea7elc4KeiB\n"
    "XUN8kZHzN1prfMROf5f6VplzRbT1vav9rnW0eVLb505mwyqeO1XX9BTlodZu4gyfujtyVzEO9cax\n"
    "VhVfFjp7U13n2meIabRqRU0lo4Xy2pm+I5ZTHjCunMeNI6JWmDL9pfsCurcd48jpPaOE+8jNWs1v\n"
    "skbPRT28yZ07OKzRa3km82n1hjFrxO67FUQcDxQtWCnSM8nFX3nshGDjfQL9+nc6o5a5inVLh/3f\n"
    "7NZJa9fsutZF+j5eUuWdzaA38G/1B5ntMu4SBQAA\n"
    "--b\n"
    "Content-Type: application/json\n"
    "Content-Transfer-Encoding: quoted-printable\n"
    "\n"
    "{\"organization-name\":\"a\",\"date-range\":{\"start-datetime\":\"2026-10-01T00=\n"
    ":00:00Z\",\"end-datetime\":\"2026-10-01T23:59:59Z\"},\"contact-info\":\"a@exam=\n"
    "ple.com\",\"report-id\":\"5\",\"policies\":[{\"policy\":{\"policy-type\":\"sts\",\"p=\n"
    "olicy-domain\":\"example.org\"},\"summary\":{\"total-successful-session-coun=\n"
    "t\":1,\"total-failure-session-count\":0}}]}\n"
    "--b--\n";

/* What the sample says: the subject, and who sent each report. */
static const char expected[] = "\u65e5\u672c\u4e2d|\u041f\u043e\u0447\u0442\u0430|\u65e5\u672c|"
                               "Z\u00fcr\u20acich|Z\u00fcr|a|";

/* What nearly every mail is. */
static const char light_sample[] =
    "From: sample@example.com\n"
    "Subject: sample\n"
    "Date: Thu, 01 Oct 2026 00:00:00 +0200\n"
    "Content-Type: multipart/mixed; boundary=b\n"
    "\n"
    "--b\n"
    "Content-Type: application/zip\n"
    "Content-Transfer-Encoding: base64\n"
    "\n"
    "UEsDBBQAAAAIAAAAdl2as7KUBwEAAEICAAAFAAAAYS54bWx9kmlqxDAMhW8UT6YwNCBEb2I0tpKY\n"
    "iRe8dLl9nWaZhIHmjyU57+mTMPTM+k7qgRA5+Jil5UyaMiH4OEhHlpFA7DGwJTMhffA32TBxo7wF\n"
    "sRQ3C6OxBfFMoPqxjOSGqr/zYBy2t8v6gVgqwE4v5ffbW9dVz5qDOErFC2Lwk1E/MpT7ZNLIcytf\n"
    "URye6NYaBHTeMYhQrV6VkZWP8+m/EJIvUbE0Advu2lyaa1MnehZB+eLyPOUSbCD8SVOpxDPIw1gM\n"
    "lFLtP4eQQo99XVP1qdFOcJCIv9ZGs8umNxwTwsikOco+enue6XgB4qShkkcZOZUpp5Xj37Usv66s\n"
    "a7JBi7OZ2JYk9nfzC1BLAQIUAxQAAAAIAAAAdl2as7KUBwEAAEICAAAFAAAAAAAAAAAAAACAAQAA\n"
    "AABhLnhtbFBLBQYAAAAAAQABADMAAAAqAQAAAAA=\n"
    "--b\n"
    "Content-Type: application/gzip\n"
    "Content-Transfer-Encoding: base64\n"
    "\n"
    "H4sIAAAAAAACA32S62rDMAyF3yhuOigLCLE3MYqtJKa+YTu7vP2c5dKGwvLHkpxz9EkYBmbdk7oj\n"
    "JI4hFem4kKZCCCGN0pNj7EEcMbAjY5E++JtctNyo4ECsxd3CaGxBPBKofiwT+bHqex6Nx/Z22T4Q\n"
    "awXY67X8fnvruupZcxDPUvGCGIM16kfGubcmT7y0ChXF44luq0FEHzyDiNXqVZlYhbSc4Qshhzkp\n"
    "liZi212bS3Nt6kSPIqgw+7JMuQY7CH+SnSvxAnI3DiPlXPsvIeQ44FDXVH1qdBA8ScRfa6PZFzMY\n"
    "ThlhYtKc5JCCO8/0fAHipKG5TDJxnm3JG8e/a1l/3Vi3ZIcWZzOxL0kc7+YXsYrqekICAAA=\n"
    "--b--\n";

static const char light_expected[] = "sample|a|b|";

/* Encodings that mails and reports come in; any other is unknown to a worker. What the C library has no more
 * open it forgets, so they stay open. */
static const char *const charsets[] = {
    "UTF-16",       "UTF-16BE",     "UTF-16LE",     "ISO-8859-1",   "ISO-8859-2",   "ISO-8859-4",
    "ISO-8859-5",   "ISO-8859-6",   "ISO-8859-7",   "ISO-8859-8",   "ISO-8859-9",   "ISO-8859-13",
    "ISO-8859-15",  "WINDOWS-1250", "WINDOWS-1251", "WINDOWS-1252", "WINDOWS-1253", "WINDOWS-1254",
    "WINDOWS-1255", "WINDOWS-1256", "WINDOWS-1257", "WINDOWS-1258", "WINDOWS-874",  "KOI8-R",
    "KOI8-U",       "CP850",        "CP866",        "TIS-620",      "SHIFT_JIS",    "CP932",
    "EUC-JP",       "ISO-2022-JP",  "GB2312",       "GBK",          "GB18030",      "BIG5",
    "EUC-KR",       "CP949"};

struct warm {
    struct aggregate_parser *parser;
    guint64 budget;
    GString *said;
};

static gboolean on_begin(void *self, const struct report_head *head, GError **error G_GNUC_UNUSED)
{
    g_string_append_printf(((struct warm *)self)->said, "%s|", head->org_name);
    return TRUE;
}

static gboolean on_record(void *self G_GNUC_UNUSED, const struct report_record *record G_GNUC_UNUSED,
                          GError **error G_GNUC_UNUSED)
{
    return TRUE;
}

static gboolean on_end(void *self G_GNUC_UNUSED, const struct report_tail *tail G_GNUC_UNUSED,
                       GError **error G_GNUC_UNUSED)
{
    return TRUE;
}

static void on_abandon(void *self G_GNUC_UNUSED)
{
}

static gboolean on_tls_begin(void *self, const struct tls_head *head, GError **error G_GNUC_UNUSED)
{
    g_string_append_printf(((struct warm *)self)->said, "%s|", head->organization);
    return TRUE;
}

static gboolean on_tls_policy(void *self G_GNUC_UNUSED, const struct tls_policy *policy G_GNUC_UNUSED,
                              GError **error G_GNUC_UNUSED)
{
    return TRUE;
}

static gboolean on_tls_failure(void *self G_GNUC_UNUSED, const struct tls_failure *failure G_GNUC_UNUSED,
                               GError **error G_GNUC_UNUSED)
{
    return TRUE;
}

static gboolean on_tls_end(void *self G_GNUC_UNUSED, guint n G_GNUC_UNUSED,
                           const struct report_warning *warnings G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
    return TRUE;
}

static gboolean on_document(void *self, const struct unpacked *document, GError **error)
{
    struct warm *warm = self;
    const struct report_hints hints = {.file_name = document->name};
    const struct report_sink sink = {on_begin, on_record, on_end, on_abandon, warm};
    const struct tls_sink tls = {on_tls_begin, on_tls_policy, on_tls_failure, on_tls_end, warm};
    struct parse_outcome outcome = {0};
    enum parse_status status =
        document->kind == CONTENT_JSON
            ? tls_parse(document->reader, &limits_default, &hints, &tls, &outcome, error)
            : aggregate_parse(warm->parser, document->reader, &hints, &sink, &outcome, error);
    if (outcome.code)
        g_string_append_printf(warm->said, "%s: %s|", outcome.code, outcome.detail);
    parse_outcome_clear(&outcome);
    return status != PARSE_FAILED;
}

static gboolean on_refusal(void *self, const char *label, const char *code, const char *detail G_GNUC_UNUSED,
                           GError **error G_GNUC_UNUSED)
{
    g_string_append_printf(((struct warm *)self)->said, "%s: %s|", label, code);
    return TRUE;
}

static gboolean on_part(void *self, const struct message_part *part, GError **error)
{
    struct warm *warm = self;
    if (!warm->said->len)
        g_string_append_printf(warm->said, "%s|", part->head->subject);
    return unpack_walk(part->content, part->label, part->file_name, &limits_default, &warm->budget,
                       on_document, on_refusal, warm, error);
}

/* FALSE with an error when another text comes out of the mail than `wanted`. */
static gboolean read_samples(const char *text, const char *wanted, const struct domain_list *suffixes,
                             GError **error)
{
    g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));
    struct blob *mail = blob_new_bytes(bytes);
    struct message_head head;
    struct aggregate_parser *parser = aggregate_parser_new(&limits_default, suffixes);
    struct warm warm = {parser, limits_default.unpacked_total, g_string_new(NULL)};
    guint8 digest[SHA256_BYTES];
    gboolean ok = blob_sha256(mail, digest, error) &&
                  message_walk(mail, &limits_default, &head, on_part, on_refusal, &warm, error);
    if (ok && !g_str_equal(warm.said->str, wanted)) {
        g_set_error(error, WS_ERROR, WS_ERROR_SYSTEM, "a mail of samples was read as '%s'", warm.said->str);
        ok = FALSE;
    }
    aggregate_parser_free(parser);
    g_string_free(warm.said, TRUE);
    message_head_clear(&head);
    blob_unref(mail);
    return ok;
}

gboolean warm_check(const struct domain_list *suffixes, gboolean light, GError **error)
{
    return light ? read_samples(light_sample, light_expected, suffixes, error)
                 : read_samples(sample, expected, suffixes, error);
}

void warm_up(const struct domain_list *suffixes)
{
    tzset();
    (void)warm_check(suffixes, TRUE, NULL);
}

void warm_encodings(const struct domain_list *suffixes)
{
    for (guint i = 0; i < G_N_ELEMENTS(charsets); i++)
        (void)iconv_open("UTF-8", charsets[i]); /* stays open; one that this system has not is not missed */
    (void)warm_check(suffixes, FALSE, NULL);
}
