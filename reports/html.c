#include "reports/html.h"

#include "reports/html_domain.h"
#include "reports/html_file.h"
#include "reports/html_index.h"

/* All that is on a page is of one moment. */
static gboolean write_one(struct db *db, const struct html_request *request, const char *domain,
                          GError **error)
{
    static const char begin[] = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
    g_autofree char *name = html_file_name(domain);
    struct html_file file = {.out = NULL};
    gboolean ok = html_file_open(&file, request->directory, name, error) &&
                  db_run(db, "beginning a page", begin, error) &&
                  html_domain(db, request, domain, file.out, error) &&
                  db_run(db, "ending a page", "COMMIT", error) && html_file_commit(&file, error);
    html_file_drop(&file);
    return ok;
}

static gboolean write_all(struct db *db, const struct html_request *request, const GPtrArray *domains,
                          GError **error)
{
    for (guint i = 0; i < domains->len; i++) {
        const char *domain = domains->pdata[i];
        gint64 began = g_get_monotonic_time();
        if (!write_one(db, request, domain, error))
            return FALSE;
        if (request->written)
            request->written(domain, i + 1, domains->len - i - 1, g_get_monotonic_time() - began,
                             request->data);
    }
    return TRUE;
}

gboolean html_write(struct db *db, const struct html_request *request, guint *domains_r, GError **error)
{
    g_autoptr(GPtrArray) domains = g_ptr_array_new_with_free_func(g_free);
    struct html_file index = {.out = NULL};
    /* Its name comes last, when all that it leads to is there. */
    gboolean ok = html_directory(request->directory, error) &&
                  html_file_open(&index, request->directory, "index.html", error) &&
                  html_index(db, request, index.out, domains, error) &&
                  write_all(db, request, domains, error) && html_file_commit(&index, error);
    html_file_drop(&index);
    *domains_r = domains->len;
    return ok;
}
