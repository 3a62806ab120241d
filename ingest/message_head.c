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
    g_free(head->tls_domain);
    g_strfreev(head->authres);
    *head = (struct message_head){0};
}

char *message_head_text(const char *text)
{
    return text && *text ? label_safe(text, -1, HEAD_MAX) : NULL;
}

char *message_head_name(const char *text)
{
    gboolean good = FALSE;
    g_autofree char *domain = text ? domain_normalise(text, &good) : NULL;
    return good ? message_head_text(domain) : NULL;
}

char *message_head_domain(const char *address)
{
    const char *at = address ? strrchr(address, '@') : NULL;
    return at && at[1] ? message_head_name(at) : NULL;
}
