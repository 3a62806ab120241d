#include "ingest/message_head.h"

#include "ingest/label.h"
#include "parser/domain.h"

#include <string.h>

#define HEAD_MAX 1000

void message_head_clear(struct message_head *head)
{
    g_free(head->message_id);
    g_free(head->from);
    g_free(head->from_domain);
    g_free(head->subject);
    g_strfreev(head->authres);
    *head = (struct message_head){0};
}

char *message_head_text(const char *text)
{
    return text && *text ? label_safe(text, -1, HEAD_MAX) : NULL;
}

char *message_head_domain(const char *address)
{
    const char *at = address ? strrchr(address, '@') : NULL;
    gboolean good = FALSE;
    if (!at || !at[1])
        return NULL;
    g_autofree char *domain = domain_normalise(at, &good);
    return good ? message_head_text(domain) : NULL;
}
