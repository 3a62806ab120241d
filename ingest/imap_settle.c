#include "ingest/imap_settle.h"

#include "ingest/imap_write.h"
#include "parser/error.h"

#define DONE_KEYWORD "$WhosendsDone"

enum { PROCESSED, PROBLEMS, FOLDERS };

enum { TRIES = 5 /* of a command, while others take mails away */ };

struct folder {
    char *title;    /* as configured, for messages */
    char *name;     /* quoted, as the server spells it */
    gboolean tried; /* to make it */
    GArray *uids;   /* guint32: to be settled */
};

struct imap_settle {
    struct imap_session *session;
    enum after after;
    gboolean failed; /* once is enough: nothing is tried again in this session */
    struct folder folders[FOLDERS];
};

static gboolean folder_init(struct folder *folder, struct imap_session *session, const char *title,
                            const char *mailbox, GError **error)
{
    folder->title = g_strdup(title);
    folder->uids = g_array_new(FALSE, FALSE, sizeof(guint32));
    g_autofree char *name = imap_session_folder(session, title, error);
    g_autofree char *selected = name ? imap_session_folder(session, mailbox, error) : NULL;
    if (!selected)
        return FALSE;
    if (g_ascii_strcasecmp(name, selected) == 0) {
        g_set_error(error, WS_ERROR, WS_ERROR_CONFIG,
                    "mails of mailbox '%s' cannot be moved to '%s', which is the same", mailbox, title);
        return FALSE;
    }
    folder->name = imap_quote(name);
    return TRUE;
}

struct imap_settle *imap_settle_new(struct imap_session *session, const struct settle_rules *rules,
                                    const char *mailbox, GError **error)
{
    struct imap_settle *settle = g_new0(struct imap_settle, 1);
    settle->session = session;
    settle->after = rules->after;
    if (!folder_init(&settle->folders[PROCESSED], session, rules->processed, mailbox, error) ||
        !folder_init(&settle->folders[PROBLEMS], session, rules->problems, mailbox, error)) {
        imap_settle_free(settle);
        return NULL;
    }
    return settle;
}

void imap_settle_free(struct imap_settle *settle)
{
    if (!settle)
        return;
    for (guint i = 0; i < FOLDERS; i++) {
        g_free(settle->folders[i].title);
        g_free(settle->folders[i].name);
        if (settle->folders[i].uids)
            g_array_free(settle->folders[i].uids, TRUE);
    }
    g_free(settle);
}

const char *imap_settle_criteria(const struct imap_settle *settle)
{
    if (settle->after != AFTER_FLAG)
        return "UNDELETED";
    return settle->session->may_keep_keywords ? "UNDELETED UNKEYWORD " DONE_KEYWORD : "UNDELETED UNSEEN";
}

void imap_settle_add(struct imap_settle *settle, guint32 uid, enum outcome outcome)
{
    guint which = outcome == OUTCOME_PROBLEM ? PROBLEMS : PROCESSED;
    if (settle->after != AFTER_LEAVE)
        g_array_append_val(settle->folders[which].uids, uid);
}

gboolean imap_settle_is_pending(const struct imap_settle *settle)
{
    return !settle->failed && (settle->folders[PROCESSED].uids->len || settle->folders[PROBLEMS].uids->len);
}

static gboolean create(struct imap_settle *settle, struct folder *folder, GError **error)
{
    g_autofree char *command = g_strconcat("CREATE ", folder->name, NULL);
    g_autofree char *subscribe = g_strconcat("SUBSCRIBE ", folder->name, NULL);
    folder->tried = TRUE;
    /* A mail program shows only what is subscribed to; without that the folder serves as well. */
    return imap_session_command(settle->session, command, NULL, NULL, error) &&
           (!settle->session->ok || imap_session_command(settle->session, subscribe, NULL, NULL, error));
}

/* A command on mails, some of which may have vanished, into a folder (or NULL) that may be missing. Not every
 * server says so in a code, so after a NO it is looked whether the mails are still here, and the folder is
 * made, and in either case the same is tried again. */
static gboolean on_set(struct imap_settle *settle, const char *command, const char *set,
                       struct folder *folder, GError **error)
{
    struct imap_session *session = settle->session;
    for (guint tries = 1;; tries++) {
        if (!imap_session_command(session, command, NULL, NULL, error))
            return FALSE;
        if (session->ok)
            return TRUE;
        g_autofree char *refusal = g_strdup(session->answer_text);
        gboolean vanishing = g_strcmp0(session->answer_code, "EXPUNGEISSUED") == 0 && tries < TRIES;
        g_autoptr(GArray) left = imap_session_left(session, set, error);
        if (!left)
            return FALSE;
        if (!left->len)
            return TRUE;
        if (folder && !folder->tried && !vanishing) {
            if (!create(settle, folder, error))
                return FALSE;
        } else if (!vanishing) {
            g_set_error(error, WS_ERROR, WS_ERROR_SOURCE, "could not %s %u mails%s%s%s: %s says %s",
                        folder ? "move" : "mark or delete", left->len, folder ? " to folder '" : "",
                        folder ? folder->title : "", folder ? "'" : "", imap_conn_name(session->conn),
                        refusal);
            return FALSE;
        }
    }
}

static gboolean transfer(struct imap_settle *settle, const char *verb, const char *set, struct folder *folder,
                         GError **error)
{
    g_autofree char *command = g_strdup_printf("UID %s %s %s", verb, set, folder->name);
    return on_set(settle, command, set, folder, error);
}

static gboolean store(struct imap_settle *settle, const char *set, const char *flag, GError **error)
{
    g_autofree char *command = g_strdup_printf("UID STORE %s +FLAGS.SILENT (%s)", set, flag);
    return on_set(settle, command, set, NULL, error);
}

static gboolean expunge(struct imap_settle *settle, const char *set, GError **error)
{
    g_autofree char *command = g_strconcat("UID EXPUNGE ", set, NULL);
    return store(settle, set, "\\Deleted", error) &&
           (!settle->session->has_uidplus || on_set(settle, command, set, NULL, error));
}

static gboolean settle_set(struct imap_settle *settle, const char *set, struct folder *folder, GError **error)
{
    if (settle->after == AFTER_FLAG)
        return store(settle, set, settle->session->may_keep_keywords ? DONE_KEYWORD : "\\Seen", error);
    /* What could not be understood is put aside even where the rest is deleted. */
    if (settle->after == AFTER_DELETE && folder == &settle->folders[PROCESSED])
        return expunge(settle, set, error);
    if (settle->session->has_move)
        return transfer(settle, "MOVE", set, folder, error);
    return transfer(settle, "COPY", set, folder, error) && expunge(settle, set, error);
}

gboolean imap_settle_flush(struct imap_settle *settle, GError **error)
{
    for (guint i = 0; i < FOLDERS && !settle->failed; i++) {
        GArray *uids = settle->folders[i].uids;
        g_array_sort(uids, imap_uid_compare);
        while (uids->len) {
            guint taken;
            g_autofree char *set =
                imap_uid_set((const guint32 *)(gpointer)uids->data, uids->len, IMAP_SET_MAX, &taken);
            settle->failed = !settle_set(settle, set, &settle->folders[i], error);
            if (settle->failed)
                return FALSE;
            g_array_remove_range(uids, 0, taken);
        }
    }
    return TRUE;
}
