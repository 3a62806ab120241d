/* Whose the addresses in the reports are: reverse names by DNS, networks by mmdb files; and where keys and
 * return paths of the domains themselves point to. Kept in the database until they expire. Not on the way of
 * a mail: a command of its own. */
#pragma once

#include "cli/config.h"
#include "db/conn.h"

struct names_totals {
    guint64 asked, confirmed, unconfirmed, none, failed; /* names */
    guint64 cnames, pointing;                            /* names asked about, and those with a CNAME */
    guint64 judged;   /* policy domains whose mail was judged anew by that */
    guint64 networks; /* addresses whose network was looked up */
    gboolean silent;  /* no resolver answered: what was asked is asked again next time */
    gboolean late;    /* the time was up before all were asked */
};

/* Looks up what is missing of addresses, keys and return paths seen in the last 90 days, the latest first, so
 * many of each at most. Without `dns` no names, without mmdb files no networks. Whenever it ends, what was
 * found until then is kept; a signal ends it with WS_ERROR_INTERRUPTED, see cli/stopping.h. */
gboolean names_look_up(struct db *db, const struct config *config, gboolean dns, guint64 most,
                       struct names_totals *totals_r, GError **error);
