#include "ingest/worker.h"

#include "ingest/blob.h"
#include "ingest/serve.h"
#include "ingest/warm.h"

#include <stdio.h>

static gpointer prepare(void)
{
    struct domain_list *suffixes = domain_list_new();
    warm_up(suffixes);
    return suffixes;
}

static void complete(gpointer prepared)
{
    warm_encodings(prepared);
}

static gboolean check(gpointer prepared, gboolean light, GError **error)
{
    return warm_check(prepared, light, error);
}

static int serve(gpointer prepared, int socket, const int *scratch, guint n_scratch)
{
    g_autoptr(GError) error = NULL;
    blob_use_scratch(scratch, n_scratch);
    if (serve_orders(socket, prepared, &error))
        return 0;
    fprintf(stderr, "whosends: a worker process ended: %s\n", error->message);
    return 1;
}

const struct nursery_work worker_work = {
    .prepare = prepare, .complete = complete, .check = check, .serve = serve};
