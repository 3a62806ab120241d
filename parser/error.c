#include "parser/error.h"

#include <sysexits.h>

G_DEFINE_QUARK(whosends - error, ws_error)

static const struct {
    enum ws_spoils spoils;
    int exit_status;
} kinds[] = {
    [WS_ERROR_USAGE] = {WS_SPOILS_RUN, EX_USAGE},
    [WS_ERROR_CONFIG] = {WS_SPOILS_RUN, EX_CONFIG},
    [WS_ERROR_INPUT] = {WS_SPOILS_SOURCE, EX_NOINPUT},
    [WS_ERROR_DATA] = {WS_SPOILS_DOCUMENT, EX_DATAERR},
    [WS_ERROR_TRUNCATED] = {WS_SPOILS_DOCUMENT, EX_DATAERR},
    [WS_ERROR_CHECKSUM] = {WS_SPOILS_DOCUMENT, EX_DATAERR},
    [WS_ERROR_LIMIT] = {WS_SPOILS_DOCUMENT, EX_DATAERR},
    [WS_ERROR_SOURCE] = {WS_SPOILS_SOURCE, EX_TEMPFAIL},
    [WS_ERROR_AUTH] = {WS_SPOILS_SOURCE, EX_NOPERM},
    [WS_ERROR_DB_DOWN] = {WS_SPOILS_RUN, EX_TEMPFAIL},
    [WS_ERROR_DB_REFUSED] = {WS_SPOILS_DOCUMENT, EX_DATAERR},
    [WS_ERROR_DB_SCHEMA] = {WS_SPOILS_RUN, EX_CONFIG},
    [WS_ERROR_SYSTEM] = {WS_SPOILS_RUN, EX_TEMPFAIL},
    [WS_ERROR_INTERRUPTED] = {WS_SPOILS_RUN, EX_TEMPFAIL},
};

static gboolean is_ours(const GError *error)
{
    return error->domain == WS_ERROR && error->code >= 0 && (gsize)error->code < G_N_ELEMENTS(kinds);
}

enum ws_spoils ws_error_spoils(const GError *error)
{
    return is_ours(error) ? kinds[error->code].spoils : WS_SPOILS_RUN;
}

int ws_error_exit_status(const GError *error)
{
    return is_ours(error) ? kinds[error->code].exit_status : EX_SOFTWARE;
}
