#include "ingest/imap_turn.h"

#include "ingest/imap_conn.h"
#include "parser/error.h"

enum { LOOK_MS = 5, LOOK_MOST_MS = 100 };

struct imap_turn {
    const struct imap_place *place; /* NULL: nobody to be kept out */
    char *mailbox;                  /* the name of the lock */
    int stop_fd;
};

struct imap_turn *imap_turn_new(const struct imap_settings *settings, const char *mailbox)
{
    /* Neither port nor way of TLS: they lead to the same mails. */
    g_autofree char *host = g_ascii_strdown(settings->host, -1);
    struct imap_turn *turn = g_new0(struct imap_turn, 1);
    *turn = (struct imap_turn){.place = settings->place && settings->place->lock ? settings->place : NULL,
                               .mailbox = g_strjoin("\n", host, settings->user, mailbox, NULL),
                               .stop_fd = settings->stop_fd};
    return turn;
}

void imap_turn_free(struct imap_turn *turn)
{
    if (!turn)
        return;
    g_free(turn->mailbox);
    g_free(turn);
}

gboolean imap_turn_is_shared(const struct imap_turn *turn)
{
    return turn->place != NULL;
}

enum imap_turn_result imap_turn_take(struct imap_turn *turn, guint seconds, GError **error)
{
    gint64 end = g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC;
    gboolean ours = !turn->place;
    for (gint64 wait = LOOK_MS; !ours; wait = MIN(wait * 2, LOOK_MOST_MS)) {
        if (!turn->place->lock(turn->place->data, turn->mailbox, &ours, error))
            return IMAP_TURN_ERROR;
        if (ours)
            break;
        if (g_get_monotonic_time() >= end)
            return IMAP_TURN_LATE;
        if (imap_stop_wanted(turn->stop_fd, wait)) {
            g_set_error(error, WS_ERROR, WS_ERROR_INTERRUPTED,
                        "stopped while another ingester was settling the same mailbox");
            return IMAP_TURN_ERROR;
        }
    }
    return IMAP_TURN_OURS;
}

gboolean imap_turn_end(struct imap_turn *turn, GError **error)
{
    return !turn->place || turn->place->unlock(turn->place->data, turn->mailbox, error);
}
