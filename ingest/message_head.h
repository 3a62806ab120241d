/* What the ledger keeps of a mail's header. */
#pragma once

#include <glib.h>

/* Owned by the struct; any may be NULL. UTF-8, cut to 1,000 bytes. */
struct message_head {
    char *message_id, *from, *from_domain, *subject;
    char *tls_domain; /* TLS-Report-Domain (RFC 8460 section 5.3), normalised */
    gint64 date;      /* seconds, 0 when there is none */
    char **authres;   /* the Authentication-Results fields, topmost first, for authres_parse; may be NULL */
};
void message_head_clear(struct message_head *head);

/* A field's text as the head has it; NULL stays NULL, and so becomes "". Owned by the caller. */
char *message_head_text(const char *text);
/* The domain that a field holds and nothing else, normalised; NULL for anything that can be none. Owned by
 * the caller. */
char *message_head_name(const char *text);
/* The domain of an address of From in the same form; NULL when it has none that can be one. Owned by the
 * caller. */
char *message_head_domain(const char *address);
