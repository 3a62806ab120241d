/* Descriptors that ride on bytes over a stream socket (SCM_RIGHTS of unix(7)): a mail that is too large to be
 * copied goes to its worker as a file. */
#pragma once

#include <glib.h>

/* Like send(): the number of bytes that went, at least one of the n > 0, and the descriptor with the first of
 * them; 0 when the socket is full (then the descriptor did not go either); -1 with WS_ERROR_SYSTEM. Never
 * raises SIGPIPE. */
gssize fdpass_send(int socket, int fd, const void *data, gsize n, GError **error);

/* Like recv(): the number of bytes, 0 at the end, -1 with WS_ERROR_SYSTEM. *fd_r is a descriptor of the
 * caller's (close on exec), or -1. Descriptors come in the order in which they were sent, one a call, and
 * each not later than the byte that it was sent with; but maybe behind earlier bytes in the same call. */
gssize fdpass_receive(int socket, void *buf, gsize n, int *fd_r, GError **error);

/* The same open file for a worker, from its name in /proc: with a position of its own, so that two readers
 * who seek do not disturb each other, and for reading alone, whatever `fd` may do. -1 with WS_ERROR_SYSTEM.
 */
int fdpass_reopen(int fd, GError **error);
