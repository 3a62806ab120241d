#include "ingest/imap_write.h"

gint imap_uid_compare(gconstpointer a, gconstpointer b)
{
    guint32 left = *(const guint32 *)a, right = *(const guint32 *)b;
    return (left > right) - (left < right);
}

char *imap_uid_set(const guint32 *uids, guint n, gsize max_bytes, guint *taken_r)
{
    enum { LONGEST = sizeof ",4294967295:4294967295" - 1 };
    GString *set = g_string_new(NULL);
    guint i = 0;
    while (i < n && (!i || set->len + LONGEST <= max_bytes)) {
        guint last = i;
        while (last + 1 < n && uids[last + 1] - uids[last] <= 1)
            last++;
        g_string_append_printf(set, "%s%" G_GUINT32_FORMAT, i ? "," : "", uids[i]);
        if (uids[last] != uids[i])
            g_string_append_printf(set, ":%" G_GUINT32_FORMAT, uids[last]);
        i = last + 1;
    }
    *taken_r = i;
    return g_string_free(set, FALSE);
}

char *imap_quote(const char *text)
{
    GString *out = g_string_new("\"");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            g_string_append_c(out, '\\');
        g_string_append_c(out, *text);
    }
    g_string_append_c(out, '"');
    return g_string_free(out, FALSE);
}
