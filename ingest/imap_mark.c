#include "ingest/imap_mark.h"

#include "ingest/imap_write.h"

#include <stdlib.h>

enum { DROP_AT = 4096 /* done ones in front of the list */ };

struct imap_mark {
    GArray *uids;  /* guint32, ascending: found, and not dropped yet */
    GArray *done;  /* gboolean, beside uids */
    guint first;   /* that is not done */
    guint32 below; /* all up to here are done */
};

struct imap_mark *imap_mark_new(guint32 uid)
{
    struct imap_mark *mark = g_new0(struct imap_mark, 1);
    mark->uids = g_array_new(FALSE, FALSE, sizeof(guint32));
    mark->done = g_array_new(FALSE, TRUE, sizeof(gboolean));
    mark->below = uid;
    return mark;
}

void imap_mark_free(struct imap_mark *mark)
{
    if (!mark)
        return;
    g_array_free(mark->uids, TRUE);
    g_array_free(mark->done, TRUE);
    g_free(mark);
}

void imap_mark_found(struct imap_mark *mark, const guint32 *uids, guint n)
{
    g_array_append_vals(mark->uids, uids, n);
    g_array_set_size(mark->done, mark->uids->len);
}

void imap_mark_done(struct imap_mark *mark, const guint32 *uids, guint n)
{
    for (guint i = 0; i < n && mark->uids->len; i++) {
        const guint32 *at =
            bsearch(&uids[i], mark->uids->data, mark->uids->len, sizeof uids[i], imap_uid_compare);
        if (at)
            g_array_index(mark->done, gboolean, at - (const guint32 *)(gconstpointer)mark->uids->data) = TRUE;
    }
    while (mark->first < mark->done->len && g_array_index(mark->done, gboolean, mark->first))
        mark->below = g_array_index(mark->uids, guint32, mark->first++);
    if (mark->first >= DROP_AT) {
        g_array_remove_range(mark->uids, 0, mark->first);
        g_array_remove_range(mark->done, 0, mark->first);
        mark->first = 0;
    }
}

guint32 imap_mark_uid(const struct imap_mark *mark)
{
    return mark->below;
}
