#include "cli/patience.h"

#include "cli/log.h"
#include "parser/error.h"

#define LONGEST 30
#define LOOK_MICROSECONDS (G_USEC_PER_SEC / 10)

static gboolean stopped(const struct patience *patience)
{
    return patience->stop && *patience->stop;
}

gboolean patience_wait(struct patience *patience, const GError *error, guint64 committed)
{
    if (committed != patience->committed)
        patience->waited = patience->next = 0;
    patience->committed = committed;
    if (!g_error_matches(error, WS_ERROR, WS_ERROR_DB_DOWN) || patience->waited >= patience->most ||
        stopped(patience))
        return FALSE;
    patience->next = CLAMP(patience->next * 2, 1, MIN(LONGEST, patience->most - patience->waited));
    patience->waited += patience->next;
    log_warning("%s\nhint: the next try is in %u s, the last one %u s later", error->message, patience->next,
                patience->most - patience->waited);
    for (guint i = 0; i < patience->next * (G_USEC_PER_SEC / LOOK_MICROSECONDS) && !stopped(patience); i++)
        g_usleep(LOOK_MICROSECONDS);
    return !stopped(patience);
}
