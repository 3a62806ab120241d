#include "ingest/imap_idle.h"

#include "parser/error.h"

#include <string.h>

/* An IDLE that the server ends sooner than this is not worth another one. */
enum { LEAST_IDLE_USEC = 2 * G_USEC_PER_SEC };

/* One response, to its end. *over_r: it was the tagged one. */
static gboolean read_one(struct imap_session *session, gboolean *over_r, GError **error)
{
    struct imap_response r;
    imap_conn_allow(session->conn, session->seconds);
    if (!imap_session_response(session, &r, error))
        return FALSE;
    *over_r = r.kind == IMAP_TAGGED;
    enum imap_token token;
    do
        token = imap_parser_token(session->parser);
    while (token != IMAP_END && token != IMAP_FAILED);
    return imap_session_check(session, error);
}

/* Reads until there is news, the IDLE is over, or nothing has come for so long. */
static gboolean listen_to(struct imap_session *session, gint64 usec, gboolean *over_r,
                          enum wait_result *result, GError **error)
{
    gint64 end = g_get_monotonic_time() + usec;
    *result = WAIT_NEWS;
    while (!session->news && !*over_r) {
        if (!imap_parser_pending(session->parser)) {
            gint64 left = end - g_get_monotonic_time();
            GError *failure = NULL;
            if (!imap_conn_wait(session->conn, MAX(0, left), result, &failure))
                return imap_session_break(session, failure, error);
            if (*result != WAIT_NEWS)
                return TRUE;
        }
        if (!read_one(session, over_r, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean idle_end(struct imap_session *session, gboolean over, GError **error)
{
    GError *failure = NULL;
    imap_conn_allow(session->conn, session->seconds);
    if (!over && !imap_conn_write(session->conn, "DONE\r\n", 6, &failure))
        return imap_session_break(session, failure, error);
    while (!over)
        if (!read_one(session, &over, error))
            return FALSE;
    session->idling = FALSE;
    return TRUE;
}

static gboolean idle_once(struct imap_session *session, gint64 usec, enum wait_result *result, GError **error)
{
    gint64 began = g_get_monotonic_time();
    gboolean over = FALSE;
    session->idling = TRUE;
    if (!imap_session_send(session, "IDLE", 0, error) || !listen_to(session, usec, &over, result, error))
        return FALSE;
    gboolean by_server = over;
    if (!idle_end(session, over, error))
        return FALSE;
    if (!session->ok || (by_server && g_get_monotonic_time() - began < LEAST_IDLE_USEC))
        session->has_idle = FALSE;
    if (*result == WAIT_NEWS && !session->news)
        *result = WAIT_TIMEOUT;
    return TRUE;
}

/* The same without IDLE: what the server says unasked, as the end of the session, is heard. */
static gboolean poll_once(struct imap_session *session, gint64 usec, enum wait_result *result, GError **error)
{
    gboolean over = FALSE;
    return listen_to(session, usec, &over, result, error);
}

gboolean imap_idle(struct imap_session *session, guint seconds, enum wait_result *result, GError **error)
{
    gint64 end = g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC;
    *result = WAIT_TIMEOUT;
    while (!session->news) {
        gint64 left = end - g_get_monotonic_time();
        if (left <= 0)
            break;
        gint64 part = MIN(left, (gint64)session->renew * G_USEC_PER_SEC);
        gboolean ok = session->has_idle ? idle_once(session, part, result, error)
                                        : poll_once(session, part, result, error);
        if (!ok)
            return FALSE;
        if (*result == WAIT_STOPPED)
            return TRUE;
        if (!session->news && !imap_session_command(session, "NOOP", NULL, NULL, error))
            return FALSE;
    }
    *result = session->news ? WAIT_NEWS : WAIT_TIMEOUT;
    return TRUE;
}
