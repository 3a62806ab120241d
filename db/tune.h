/* What a PostgreSQL server that is there for this program should have in its configuration, and why: from its
 * present settings, and from the machine's memory where that is ours, too. Changes nothing. */
#pragma once

#include "db/conn.h"

struct tune_advice {
    const char *name;
    const char *is;     /* as the server writes it */
    const char *wanted; /* as for postgresql.conf; NULL: it depends on memory that is not known */
    const char *why;
    gboolean fine;    /* nothing is to be changed */
    gboolean restart; /* a change counts when the server starts */
};

struct tune_server {
    char version[32];
    guint64 memory; /* bytes; 0: another machine's */
};

/* Tells of each setting in turn, those that the server has; lends the advice until `told` returns. */
gboolean tune_look(struct db *db, struct tune_server *server_r,
                   void (*told)(const struct tune_advice *advice, gpointer data), gpointer data,
                   GError **error);
