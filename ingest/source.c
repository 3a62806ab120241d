#include "ingest/source.h"

void mail_clear(struct mail *mail)
{
    g_free(mail->ref);
    g_free(mail->name);
    g_free(mail->refusal);
    blob_unref(mail->body);
    *mail = (struct mail){0};
}

void settle_rules_all(struct settle_rules *rules, enum after after)
{
    enum after kept = after == AFTER_DELETE ? AFTER_MOVE : after;
    rules->after[OUTCOME_STORED] = rules->after[OUTCOME_DUPLICATE] = after;
    rules->after[OUTCOME_NO_REPORT] = rules->after[OUTCOME_PROBLEM] = kept;
}

const char *settle_rules_folder(const struct settle_rules *rules, enum outcome outcome)
{
    if (rules->folder[outcome])
        return rules->folder[outcome];
    return outcome == OUTCOME_PROBLEM ? "Problems" : "Processed";
}

gboolean settle_rules_any(const struct settle_rules *rules, enum after after)
{
    for (guint i = 0; i < OUTCOMES; i++)
        if (rules->after[i] == after)
            return TRUE;
    return FALSE;
}

void source_close(struct source *source)
{
    if (source)
        source->kind->close(source);
}
