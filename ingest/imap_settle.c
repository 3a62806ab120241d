#include "ingest/imap_settle.h"

#include "ingest/imap_write.h"
#include "parser/error.h"

#include <string.h>

#define DONE_KEYWORD "$WhosendsDone"

enum {
    TRIES = 5,       /* of a command, while others take mails away */
    REFUSALS_MAX = 8 /* of single mails, until a server is believed that nothing goes */
};

/* What has to be done with some mails, the same for all of them. */
struct action {
    enum after after;
    char *title;        /* the folder as configured, for messages; NULL: none */
    char *name;         /* quoted, as the server spells it */
    gboolean tried;     /* to make it, */
    gboolean missing;   /* in vain */
    GArray *uids;       /* guint32: to be settled */
    GArray *refused;    /* guint32: the server would not */
    GHashTable *copied; /* UIDs of these that are in the folder, and only have to be deleted here */
    guint most;         /* mails in one command; smaller after a refusal */
    gboolean given_up;  /* nothing more of `uids` is tried */
};

struct imap_settle {
    struct imap_session *session;
    struct imap_turn *turn;
    imap_done_func done;
    gpointer data;
    GError *refusal;
    guint actions_n;
    struct action actions[OUTCOMES];
    guint action_of[OUTCOMES];
};

/* Only INBOX is the same in any case (RFC 9051 section 5.1). */
static gboolean is_same(const char *name, const char *other)
{
    return strcmp(name, other) == 0 ||
           (g_ascii_strcasecmp(name, "INBOX") == 0 && g_ascii_strcasecmp(other, "INBOX") == 0);
}

static gboolean name_folder(struct action *action, struct imap_session *session, const char *mailbox,
                            GError **error)
{
    g_autofree char *name = imap_session_folder(session, action->title, error);
    g_autofree char *selected = name ? imap_session_folder(session, mailbox, error) : NULL;
    if (!selected)
        return FALSE;
    if (is_same(name, selected)) {
        g_set_error(error, WS_ERROR, WS_ERROR_CONFIG,
                    "mails of mailbox '%s' cannot be moved to '%s', which is the same", mailbox,
                    action->title);
        return FALSE;
    }
    action->name = imap_quote(name);
    return TRUE;
}

/* Outcomes that end in the same way share an action, and so a command. */
static gboolean add_action(struct imap_settle *settle, const struct settle_rules *rules, enum outcome outcome,
                           const char *mailbox, GError **error)
{
    enum after after = rules->after[outcome];
    const char *title = after == AFTER_MOVE ? settle_rules_folder(rules, outcome) : NULL;
    for (guint i = 0; i < settle->actions_n; i++) {
        if (settle->actions[i].after == after && g_strcmp0(settle->actions[i].title, title) == 0) {
            settle->action_of[outcome] = i;
            return TRUE;
        }
    }
    struct action *action = &settle->actions[settle->actions_n];
    settle->action_of[outcome] = settle->actions_n++;
    *action = (struct action){.after = after, .title = g_strdup(title), .most = G_MAXUINT};
    action->uids = g_array_new(FALSE, FALSE, sizeof(guint32));
    action->refused = g_array_new(FALSE, FALSE, sizeof(guint32));
    action->copied = g_hash_table_new(NULL, NULL);
    return !title || name_folder(action, settle->session, mailbox, error);
}

struct imap_settle *imap_settle_new(struct imap_session *session, const struct settle_rules *rules,
                                    const char *mailbox, struct imap_turn *turn, imap_done_func done,
                                    gpointer data, GError **error)
{
    struct imap_settle *settle = g_new0(struct imap_settle, 1);
    *settle = (struct imap_settle){.session = session, .turn = turn, .done = done, .data = data};
    gboolean ok = TRUE;
    for (guint i = 0; i < OUTCOMES && ok; i++)
        ok = add_action(settle, rules, (enum outcome)i, mailbox, error);
    if (!ok)
        g_clear_pointer(&settle, imap_settle_free);
    return settle;
}

void imap_settle_free(struct imap_settle *settle)
{
    if (!settle)
        return;
    for (guint i = 0; i < settle->actions_n; i++) {
        g_free(settle->actions[i].title);
        g_free(settle->actions[i].name);
        g_array_free(settle->actions[i].uids, TRUE);
        g_array_free(settle->actions[i].refused, TRUE);
        g_hash_table_unref(settle->actions[i].copied);
    }
    g_clear_error(&settle->refusal);
    g_free(settle);
}

void imap_settle_rebind(struct imap_settle *settle, struct imap_session *session, gboolean renumbered)
{
    settle->session = session;
    for (guint i = 0; i < settle->actions_n && renumbered; i++) {
        g_array_set_size(settle->actions[i].uids, 0);
        g_array_set_size(settle->actions[i].refused, 0);
        g_hash_table_remove_all(settle->actions[i].copied);
    }
}

const char *imap_settle_criteria(const struct imap_settle *settle)
{
    for (guint i = 0; i < settle->actions_n; i++)
        if (settle->actions[i].after == AFTER_FLAG)
            return settle->session->may_keep_keywords ? "UNDELETED UNKEYWORD " DONE_KEYWORD
                                                      : "UNDELETED UNSEEN";
    return "UNDELETED";
}

void imap_settle_add(struct imap_settle *settle, guint32 uid, enum outcome outcome)
{
    struct action *action = &settle->actions[settle->action_of[outcome]];
    if (action->after == AFTER_LEAVE)
        settle->done(settle->data, &uid, 1);
    else
        g_array_append_val(action->uids, uid);
}

static gboolean is_pending(const struct action *action)
{
    return action->uids->len && !action->given_up;
}

gboolean imap_settle_is_pending(const struct imap_settle *settle)
{
    for (guint i = 0; i < settle->actions_n; i++)
        if (is_pending(&settle->actions[i]))
            return TRUE;
    return FALSE;
}

gboolean imap_settle_refused(struct imap_settle *settle, GError **error)
{
    if (!settle->refusal)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&settle->refusal));
    return FALSE;
}

void imap_settle_again(struct imap_settle *settle)
{
    for (guint i = 0; i < settle->actions_n; i++) {
        struct action *action = &settle->actions[i];
        g_array_append_vals(action->uids, action->refused->data, action->refused->len);
        g_array_set_size(action->refused, 0);
        action->tried = action->given_up = FALSE;
        action->most = G_MAXUINT;
    }
}

/* Commands: 1 done, 0 refused, -1 the session is broken. */

/* Makes the folder, unless it is there. `missing`: the server has said that it is not. */
static gboolean create(struct imap_settle *settle, struct action *action, gboolean missing, GError **error)
{
    gboolean listed = FALSE;
    action->tried = TRUE;
    if (!missing && !imap_session_exists(settle->session, action->name, &listed, error))
        return FALSE;
    if (listed)
        return TRUE;
    g_autofree char *command = g_strconcat("CREATE ", action->name, NULL);
    g_autofree char *subscribe = g_strconcat("SUBSCRIBE ", action->name, NULL);
    if (!imap_session_command(settle->session, command, NULL, NULL, error))
        return FALSE;
    action->missing = !settle->session->ok;
    /* A mail program shows only what is subscribed to; without that the folder serves as well. */
    return action->missing || imap_session_command(settle->session, subscribe, NULL, NULL, error);
}

/* The server says that it is no use to look for the reason in the folder or the mails. */
static gboolean is_final(const struct imap_session *session)
{
    static const char *const codes[] = {"OVERQUOTA", "NOPERM"};
    for (guint i = 0; i < G_N_ELEMENTS(codes); i++)
        if (session->answer_code && g_ascii_strcasecmp(session->answer_code, codes[i]) == 0)
            return TRUE;
    return FALSE;
}

/* `copied`: to the folder, where they stay. */
static void refuse(struct imap_settle *settle, const struct action *action, guint n, gboolean copied,
                   const char *who, const char *words)
{
    const char *what = !action->title ? "mark or delete" : copied ? "delete" : "move";
    const char *which = !copied ? "" : n == 1 ? " that is copied" : " that are copied";
    g_autofree char *to =
        action->title ? g_strdup_printf("%s to folder '%s'", which, action->title) : g_strdup("");
    if (!settle->refusal)
        g_set_error(&settle->refusal, WS_ERROR, WS_ERROR_SOURCE, "could not %s %u %s%s: %s %s", what, n,
                    n == 1 ? "mail" : "mails", to, who, words);
}

static void refuse_by_server(struct imap_settle *settle, const struct action *action, guint n,
                             gboolean copied, const char *words)
{
    g_autofree char *who = g_strconcat(imap_conn_name(settle->session->conn), " says", NULL);
    refuse(settle, action, n, copied, who, words);
}

/* A command on mails, some of which may have vanished, and whose folder may be missing. Not every server says
 * so in a code, so after a NO it is looked whether the mails are still here, and the folder is made where the
 * command needs one, and in either case the same is tried again. *bad_r (may be NULL): the server does not
 * know the command, and nothing else was tried. */
static int on_set(struct imap_settle *settle, struct action *action, const char *command, const char *set,
                  gboolean to_folder, gboolean *bad_r, GError **error)
{
    struct imap_session *session = settle->session;
    for (guint tries = 1;; tries++) {
        if (!imap_session_command(session, command, NULL, NULL, error))
            return -1;
        if (session->ok)
            return 1;
        if (bad_r && session->bad) {
            *bad_r = TRUE;
            return 0;
        }
        gboolean vanishing = g_strcmp0(session->answer_code, "EXPUNGEISSUED") == 0 && tries < TRIES;
        gboolean missing = g_strcmp0(session->answer_code, "TRYCREATE") == 0;
        gboolean final = is_final(session);
        g_autofree char *refusal = g_strdup(session->answer_text);
        g_autoptr(GArray) left = imap_session_left(session, set, error);
        if (!left)
            return -1;
        if (!left->len)
            return 1;
        if (vanishing)
            continue;
        if (to_folder && !final && !action->tried) {
            if (!create(settle, action, missing, error))
                return -1;
            continue;
        }
        action->given_up |= final || (to_folder && action->missing);
        if (action->given_up || !strpbrk(set, ",:"))
            refuse_by_server(settle, action, left->len, action->title && !to_folder, refusal);
        return 0;
    }
}

static int store(struct imap_settle *settle, struct action *action, const char *set, const char *flag,
                 GError **error)
{
    g_autofree char *command = g_strdup_printf("UID STORE %s +FLAGS.SILENT (%s)", set, flag);
    return on_set(settle, action, command, set, FALSE, NULL, error);
}

static int expunge(struct imap_settle *settle, struct action *action, const char *set, GError **error)
{
    g_autofree char *command = g_strconcat("UID EXPUNGE ", set, NULL);
    int stored = store(settle, action, set, "\\Deleted", error);
    return stored > 0 && settle->session->has_uidplus
               ? on_set(settle, action, command, set, FALSE, NULL, error)
               : stored;
}

static gboolean is_copied(const struct action *action, guint at)
{
    return g_hash_table_contains(action->copied, GUINT_TO_POINTER(g_array_index(action->uids, guint32, at)));
}

/* So many UIDs from the first one on are all copied, or all not. */
static guint alike(const struct action *action, guint most)
{
    guint n = 1;
    while (n < most && is_copied(action, n) == is_copied(action, 0))
        n++;
    return n;
}

static void note_copied(struct action *action, guint n)
{
    for (guint i = 0; i < n; i++)
        g_hash_table_add(action->copied, GUINT_TO_POINTER(g_array_index(action->uids, guint32, i)));
}

/* The first `n` UIDs are settled. */
static void take_away(struct action *action, guint n)
{
    for (guint i = 0; i < n; i++)
        g_hash_table_remove(action->copied, GUINT_TO_POINTER(g_array_index(action->uids, guint32, i)));
    g_array_remove_range(action->uids, 0, n);
}

/* The first `n` UIDs are the set. Some servers announce MOVE and answer BAD to it (older Exchange): then it
 * is as if there were none. What is copied is never copied again, whatever becomes of its deletion. */
static int move(struct imap_settle *settle, struct action *action, const char *set, guint n, GError **error)
{
    if (is_copied(action, 0))
        return expunge(settle, action, set, error);
    struct imap_session *session = settle->session;
    g_autofree char *command = g_strdup_printf("UID MOVE %s %s", set, action->name);
    g_autofree char *copy = g_strdup_printf("UID COPY %s %s", set, action->name);
    gboolean bad = FALSE;
    int moved = session->has_move ? on_set(settle, action, command, set, TRUE, &bad, error) : 0;
    if (session->has_move && !bad)
        return moved;
    session->has_move = FALSE;
    int copied = on_set(settle, action, copy, set, TRUE, NULL, error);
    if (copied <= 0)
        return copied;
    note_copied(action, n);
    return expunge(settle, action, set, error);
}

static int settle_set(struct imap_settle *settle, struct action *action, const char *set, guint n,
                      GError **error)
{
    switch (action->after) {
    case AFTER_LEAVE:
        break;
    case AFTER_FLAG:
        return store(settle, action, set, settle->session->may_keep_keywords ? DONE_KEYWORD : "\\Seen",
                     error);
    case AFTER_MOVE:
        return move(settle, action, set, n, error);
    case AFTER_DELETE:
        return expunge(settle, action, set, error);
    }
    return 1;
}

/* What was refused goes on in halves; a mail that is refused alone is put aside. */
static void note_refused(struct action *action, guint n)
{
    if (n > 1) {
        action->most = n / 2;
        return;
    }
    g_array_append_vals(action->refused, action->uids->data, 1);
    g_array_remove_index(action->uids, 0);
    action->given_up |= action->refused->len >= REFUSALS_MAX;
}

static gboolean flush_action(struct imap_settle *settle, struct action *action, GError **error)
{
    GArray *uids = action->uids;
    g_array_sort(uids, imap_uid_compare);
    while (uids->len && !action->given_up) {
        guint n;
        guint most = alike(action, MIN(uids->len, action->most));
        g_autofree char *set = imap_uid_set((const guint32 *)(gpointer)uids->data, most, IMAP_SET_MAX, &n);
        int result = settle_set(settle, action, set, n, error);
        if (result < 0)
            return FALSE;
        if (result) {
            settle->done(settle->data, (const guint32 *)(gpointer)uids->data, n);
            take_away(action, n);
            action->most = action->most > G_MAXUINT / 2 ? G_MAXUINT : action->most * 2;
        } else if (!action->given_up) {
            note_refused(action, n);
        }
    }
    return TRUE;
}

static gboolean flush_all(struct imap_settle *settle, GError **error)
{
    for (guint i = 0; i < settle->actions_n; i++)
        if (!flush_action(settle, &settle->actions[i], error))
            return FALSE;
    return TRUE;
}

/* What two may not do at once: a flag that is set twice is the same flag. */
static gboolean needs_turn(const struct action *action)
{
    return is_pending(action) && (action->after == AFTER_MOVE || action->after == AFTER_DELETE);
}

static void give_up(struct imap_settle *settle)
{
    for (guint i = 0; i < settle->actions_n; i++) {
        struct action *action = &settle->actions[i];
        if (needs_turn(action)) {
            action->given_up = TRUE;
            refuse(settle, action, action->uids->len, FALSE, "another ingester",
                   "has been settling the same mailbox for too long");
        }
    }
}

static gboolean flush_in_turn(struct imap_settle *settle, GError **error)
{
    switch (imap_turn_take(settle->turn, settle->session->seconds, error)) {
    case IMAP_TURN_ERROR:
        return FALSE;
    case IMAP_TURN_LATE:
        give_up(settle);
        return flush_all(settle, error);
    case IMAP_TURN_OURS:
        break;
    }
    gboolean ok =
        imap_session_command(settle->session, "NOOP", NULL, NULL, error) && flush_all(settle, error);
    /* An error of the session is the one to tell. */
    return imap_turn_end(settle->turn, ok ? error : NULL) && ok;
}

gboolean imap_settle_flush(struct imap_settle *settle, GError **error)
{
    gboolean shared = FALSE;
    for (guint i = 0; i < settle->actions_n && imap_turn_is_shared(settle->turn); i++)
        shared |= needs_turn(&settle->actions[i]);
    return shared ? flush_in_turn(settle, error) : flush_all(settle, error);
}
