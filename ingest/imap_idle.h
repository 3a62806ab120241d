/* Waiting for new mail in the selected mailbox: IDLE (RFC 2177), or NOOP now and then where the server has
 * none or breaks it off.
 *
 * An IDLE is ended and begun anew after session->renew seconds, long before the 29 minutes of the RFC:
 * routers forget connections that say nothing for five minutes, and a server that does not answer is found
 * out. With each renewal goes a NOOP, for servers whose IDLE tells of nothing. */
#pragma once

#include "ingest/imap_session.h"

/* No other command may be under way. WAIT_NEWS when the mailbox has got more mails since the last search
 * began. The session is ready for commands afterwards. FALSE: it is broken. */
gboolean imap_idle(struct imap_session *session, guint seconds, enum wait_result *result_r, GError **error);
