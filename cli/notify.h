/* Words to the service manager: sd_notify(3), as its manual writes it down, a datagram of VARIABLE=VALUE
 * lines to the socket that $NOTIFY_SOCKET names. Nothing happens where there is none, and nothing fails when
 * nobody reads it. libsystemd would be a library more in a process that holds passwords, for one sendto. */
#pragma once

#include <glib.h>

void notify_ready(void);
/* The configuration is read again; notify_ready ends it. */
void notify_reloading(void);
void notify_stopping(void);
/* One line for people; what is no plain text in it is escaped. */
void notify_status(const char *status);

/* Microseconds after which the manager wants to have heard notify_alive again; 0: it does not wait for it. */
guint64 notify_watchdog(void);
void notify_alive(void);
