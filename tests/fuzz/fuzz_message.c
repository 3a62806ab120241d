/* The walk over a mail, with its archives and reports: whatever comes, every part ends somewhere, a mail in a
 * file is the same mail as one in memory, and a plain mail is the same one by both ways to its parts. */
#include "tests/fuzz/walk.h"
#include "tests/unit/same_tree.h"

static void must_be_head(const struct message_head *head)
{
    const char *const texts[] = {head->message_id, head->from, head->from_domain, head->subject,
                                 head->tls_domain};
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        must_be_text(texts[i]);
        MUST(texts[i] == NULL || strlen(texts[i]) <= 1000);
    }
}

static char *walk_mail(struct blob *mail, const struct limits *limits)
{
    struct walk walk = {.limits = limits, .budget = limits->unpacked_total, .seen = g_string_new(NULL)};
    struct message_head head = {0};
    GError *error = NULL;
    gboolean ok = message_walk(mail, limits, &head, walk_part, walk_refused, &walk, &error);
    MUST(ok == (error == NULL));
    if (!ok) {
        must_be_error(error);
        MUST(ws_error_spoils(error) == WS_SPOILS_DOCUMENT);
        g_string_append_printf(walk.seen, "error %d %s\n", error->code, error->message);
    }
    must_be_head(&head);
    g_string_append_printf(walk.seen, "%s %s %s %s %" G_GINT64_FORMAT, head.message_id, head.from,
                           head.from_domain, head.subject, head.date);
    message_head_clear(&head);
    g_clear_error(&error);
    return g_string_free(walk.seen, FALSE);
}

static void must_be_same_tree(struct blob *mail, const struct limits *limits)
{
    g_autofree char *plain = NULL, *gmime = NULL;
    if (same_tree_both(mail, limits, &plain, &gmime))
        must_be_same(plain, gmime);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    struct limits limits = size % 8 == 3 ? low_limits() : usual_limits();
    g_autoptr(GBytes) bytes = g_bytes_new(data, size);
    struct blob *mail = blob_new_bytes(bytes);
    g_autofree char *first = walk_mail(mail, &limits);
    must_be_same_tree(mail, &limits);
    blob_unref(mail);
    if (size % 4 == 1) {
        mail = blob_in_file(data, size);
        g_autofree char *second = walk_mail(mail, &limits);
        blob_unref(mail);
        must_be_same(first, second);
    }
    return 0;
}
