/* The reports as pages: index.html and a page for each domain, each one file that needs nothing else: no
 * server, no script, no picture or font from elsewhere, which its Content-Security-Policy also forbids. The
 * figures are those of the SQL functions that the shell asks. Well-formed as HTML and as XML.
 *
 * A page shows the state of one moment. Of its long tables the page of a domain has the first rows, and
 * says how many there are. Memory does not grow with the database, but for the names of the domains. What
 * lies in the directory and is not written again stays there: pages of domains that are gone, too. */
#pragma once

#include "db/conn.h"

struct html_request {
    const char *directory;
    const char *const *domains; /* normalised, ends with NULL; or NULL for all */
    const char *since, *until;  /* ISO days, until exclusive; NULL: open */
    gboolean trusted;           /* without what nobody vouches for */
    gint64 now;                 /* seconds */
    /* After each page, with how many there are still to come; may be NULL. */
    void (*written)(const char *domain, gint64 done, gint64 to_come, gint64 microseconds, gpointer data);
    gpointer data;
};

/* Writes them; *domains_r is how many the index lists. WS_ERROR_SYSTEM for a file or directory that cannot
 * be written, else the errors of the database. After an error, the pages that are written are whole. */
gboolean html_write(struct db *db, const struct html_request *request, guint *domains_r, GError **error);
