#include "ingest/line_ends.h"

#include "ingest/content.h"

#include <string.h>

#define CHUNK 16384

static gboolean is_mac(struct blob *mail)
{
    guint8 start[CONTENT_SNIFF];
    gssize got = blob_read(mail, 0, start, sizeof start, NULL);
    return got > 0 && memchr(start, '\r', (gsize)got) && !memchr(start, '\n', (gsize)got);
}

struct blob *line_ends_mend(struct blob *mail, GError **error)
{
    char buf[CHUNK];
    gssize got;
    if (!is_mac(mail))
        return blob_ref(mail);
    struct spool *spool = spool_new(blob_size(mail), "message_size");
    for (guint64 at = 0; (got = blob_read(mail, at, buf, sizeof buf, error)) > 0; at += (guint64)got) {
        for (gssize i = 0; i < got; i++) {
            if (buf[i] == '\r')
                buf[i] = '\n';
        }
        if (!spool_add(spool, buf, (gsize)got, error)) {
            spool_free(spool);
            return NULL;
        }
    }
    if (got == 0)
        return spool_finish(spool, error);
    spool_free(spool);
    return NULL;
}
