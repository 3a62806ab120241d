/* What a worker process does all its life: takes orders from a socket, and answers with what it found in each
 * mail. Needs no file, no network and no database. */
#pragma once

#include "parser/domain.h"

/* Serves until the other side closes the socket (unix, stream): TRUE; or FALSE with an error. Answers come in
 * the order of the mails. They are sent when some 64 KiB wait, and when no further order has come yet, so
 * that with several mails in flight the processes switch less often. */
gboolean serve_orders(int socket, const struct domain_list *suffixes, GError **error);
