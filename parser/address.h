/* Addresses as reports write them: of hosts, and of people. Neither looks anything up. */
#pragma once

#include <glib.h>

enum ip_form {
    IP_PLAIN,     /* an address, in whatever spelling of RFC 4291 section 2.2 */
    IP_REWRITTEN, /* brackets, "IPv6:", a port or a zone were taken off, or IPv4 was mapped into IPv6 (RFC
                     4291 2.5.5.2) */
    IP_MASKED,    /* digits replaced by x or *, for privacy */
    IP_NONE,      /* no address */
};

/* Reads trimmed text. Returns AF_INET (4 bytes in out_r), AF_INET6 (16 bytes), or AF_UNSPEC; the rest of
 * out_r is zero. */
int address_parse_ip(const char *text, guint8 out_r[16], enum ip_form *form_r);

/* The domain of the first mail address in the text, normalised as in domain.h; NULL when there is none.
 * `plain_r` tells whether the text was one bare address (RFC 5321 Mailbox without quoted local part). Owned
 * by the caller. */
char *address_mail_domain(const char *text, gboolean *plain_r);

/* Reads receiver!policy-domain!begin!end[!id].extension (RFC 7489 section 7.2.1.1), directories in front
 * ignored. FALSE when the name is not of that form. The strings belong to the caller. */
gboolean address_report_file_name(const char *name, char **receiver_r, char **domain_r, gint64 *begin_r,
                                  gint64 *end_r);
