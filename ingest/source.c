#include "ingest/source.h"

void mail_clear(struct mail *mail)
{
    g_free(mail->ref);
    g_free(mail->name);
    g_free(mail->refusal);
    blob_unref(mail->body);
    *mail = (struct mail){0};
}

void source_close(struct source *source)
{
    if (source)
        source->kind->close(source);
}
