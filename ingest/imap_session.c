#include "ingest/imap_session.h"

#include "ingest/imap_write.h"
#include "ingest/mutf7.h"
#include "parser/error.h"
#include "parser/step.h"

#include <string.h>

enum {
    TIMEOUT_DEFAULT = 60,
    RENEW_DEFAULT = 240,
    TIMEOUTS_PER_COMMAND = 5,
    LOGOUT_SECONDS = 3,
    CHATTER = 64 * 1024 * 1024 /* bytes that any command may be answered with */
};

/* Breaking */

gboolean imap_session_check(struct imap_session *session, GError **error)
{
    if (!session->broken && !imap_parser_failed(session->parser, &session->broken))
        return TRUE;
    if (error)
        *error = g_error_copy(session->broken);
    return FALSE;
}

gboolean imap_session_break(struct imap_session *session, GError *failure, GError **error)
{
    if (session->broken)
        g_error_free(failure);
    else
        session->broken = failure;
    return imap_session_check(session, error);
}

/* Breaks the session for something that the server did. */
static gboolean give_up(struct imap_session *session, const char *did, const char *text, GError **error)
{
    GError *failure =
        g_error_new(WS_ERROR, WS_ERROR_SOURCE, "%s %s%s", imap_conn_name(session->conn), did, text);
    return imap_session_break(session, failure, error);
}

/* Commands */

static void format_tag(const struct imap_session *session, char tag[16])
{
    g_snprintf(tag, 16, "W%u", session->commands);
}

gboolean imap_session_send(struct imap_session *session, const char *command, guint64 bytes, GError **error)
{
    char tag[16];
    GError *failure = NULL;
    if (!imap_session_check(session, error))
        return FALSE;
    session->commands++;
    format_tag(session, tag);
    imap_parser_allow(session->parser, CHATTER + bytes);
    imap_conn_allow(session->conn, session->seconds);
    g_autofree char *line = g_strconcat(tag, " ", command, "\r\n", NULL);
    if (!imap_conn_write(session->conn, line, strlen(line), &failure))
        return imap_session_break(session, failure, error);
    step(command);
    return TRUE;
}

static void keep_answer(struct imap_session *session, const struct imap_response *r)
{
    g_free(session->answer_code);
    g_free(session->answer_text);
    session->ok = strcmp(r->name, "OK") == 0;
    session->bad = strcmp(r->name, "BAD") == 0;
    session->answer_code = g_strdup(r->code);
    g_autofree char *all = r->code ? g_strdup_printf("[%s] %s", r->code, r->text) : g_strdup(r->text);
    session->answer_text = imap_conn_quote(session->conn, all);
}

/* After "* OK [UIDVALIDITY n]", which may come at any time. */
static gboolean note_uidvalidity(struct imap_session *session, const char *code, GError **error)
{
    guint64 value;
    if (!code || g_ascii_strncasecmp(code, "UIDVALIDITY ", 12) != 0)
        return TRUE;
    if (!g_ascii_string_to_unsigned(code + 12, 10, 1, G_MAXUINT32, &value, NULL))
        return give_up(session, "gives no valid UIDVALIDITY", "", error);
    if (session->uidvalidity && session->uidvalidity != value)
        return give_up(session, "renumbered the mailbox while it was read", "", error);
    session->uidvalidity = (guint32)value;
    return TRUE;
}

/* How many mails there are (RFC 9051 section 7.4.1). Some servers repeat the number for no reason. */
static void note_count(struct imap_session *session, const struct imap_response *r)
{
    if (!r->has_number)
        return;
    if (strcmp(r->name, "EXISTS") == 0) {
        session->news |= r->number > session->messages;
        session->messages = r->number;
    } else if (strcmp(r->name, "EXPUNGE") == 0 && session->messages) {
        session->messages--;
    }
}

gboolean imap_session_response(struct imap_session *session, struct imap_response *r, GError **error)
{
    char tag[16];
    if (!imap_session_check(session, NULL) || !imap_parser_response(session->parser, r))
        return imap_session_check(session, error);
    switch (r->kind) {
    case IMAP_TAGGED:
        format_tag(session, tag);
        if (strcmp(r->tag, tag) != 0)
            return give_up(session, "answered a command that was not sent", "", error);
        keep_answer(session, r);
        return TRUE;
    case IMAP_CONTINUATION:
        return session->idling || give_up(session, "asks for more where there is no more", "", error);
    case IMAP_UNTAGGED:
        break;
    }
    if (strcmp(r->name, "BYE") == 0 && !session->leaving) {
        g_autofree char *text = imap_conn_quote(session->conn, r->text);
        return give_up(session, "ended the session: ", text, error);
    }
    note_count(session, r);
    return strcmp(r->name, "OK") != 0 || note_uidvalidity(session, r->code, error);
}

gboolean imap_session_command(struct imap_session *session, const char *command, imap_untagged_func untagged,
                              void *self, GError **error)
{
    struct imap_response r;
    if (!imap_session_send(session, command, 0, error))
        return FALSE;
    while (imap_session_response(session, &r, error)) {
        if (r.kind == IMAP_TAGGED)
            return TRUE;
        if (untagged)
            untagged(self, session, &r);
    }
    return FALSE;
}

gboolean imap_session_must(struct imap_session *session, const char *command, const char *what,
                           imap_untagged_func untagged, void *self, GError **error)
{
    if (!imap_session_command(session, command, untagged, self, error))
        return FALSE;
    if (!session->ok)
        g_set_error(error, WS_ERROR, WS_ERROR_SOURCE, "could not %s: %s says %s", what,
                    imap_conn_name(session->conn), session->answer_text);
    return session->ok;
}

/* Opening */

static void note_capabilities(struct imap_session *session, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 0);
    for (char **word = words; *word; word++) {
        /* IMAP4rev2 is all of them (RFC 9051 appendix E). */
        gboolean all = g_ascii_strcasecmp(*word, "IMAP4rev2") == 0;
        session->has_move |= all || g_ascii_strcasecmp(*word, "MOVE") == 0;
        session->has_uidplus |= all || g_ascii_strcasecmp(*word, "UIDPLUS") == 0;
        session->has_idle |= all || g_ascii_strcasecmp(*word, "IDLE") == 0;
        session->has_namespace |= all || g_ascii_strcasecmp(*word, "NAMESPACE") == 0;
    }
}

/* The capabilities change with the login. As libcurl may have read ahead when it logged in, the first lines
 * may lack their beginning: whatever they are, only those that make sense count until the first answer to a
 * command of ours. */
static gboolean ask_capabilities(struct imap_session *session, GError **error)
{
    static const char untagged[] = "* CAPABILITY ", bye[] = "* BYE ";
    const char *line;
    char tag[16];
    if (!imap_session_send(session, "CAPABILITY", 0, error))
        return FALSE;
    format_tag(session, tag);
    gsize length = strlen(tag);
    while (imap_parser_line(session->parser, &line)) {
        if (g_ascii_strncasecmp(line, untagged, sizeof untagged - 1) == 0)
            note_capabilities(session, line + sizeof untagged - 1);
        if (g_ascii_strncasecmp(line, bye, sizeof bye - 1) == 0) {
            g_autofree char *text = imap_conn_quote(session->conn, line + sizeof bye - 1);
            return give_up(session, "ended the session: ", text, error);
        }
        if (strncmp(line, tag, length) == 0 && line[length] == ' ')
            return g_ascii_strncasecmp(line + length, " OK", 3) == 0 ||
                   give_up(session, "does not tell what it can do", "", error);
    }
    return imap_session_check(session, error);
}

/* What is left of one "(prefix separator extensions...)". */
static gboolean skip_list(struct imap_parser *parser)
{
    for (guint depth = 1; depth;) {
        enum imap_token token = imap_parser_token(parser);
        if (token == IMAP_END || token == IMAP_FAILED)
            return FALSE;
        depth += token == IMAP_OPEN;
        depth -= token == IMAP_CLOSE;
    }
    return TRUE;
}

/* * NAMESPACE ((prefix separator ...) ...) (...) (...), where NIL stands for an empty list (RFC 2342). */
static void on_namespace(void *self, struct imap_session *session, const struct imap_response *r)
{
    (void)self;
    if (strcmp(r->name, "NAMESPACE") != 0)
        return;
    for (guint kind = 0; kind < 3; kind++) {
        if (imap_parser_token(session->parser) != IMAP_OPEN)
            continue; /* NIL */
        while (imap_parser_token(session->parser) == IMAP_OPEN) {
            g_autofree char *prefix = NULL, *separator = NULL;
            if (!imap_parser_string(session->parser, &prefix) ||
                !imap_parser_string(session->parser, &separator) || !skip_list(session->parser))
                return;
            if (kind == 0 && !session->prefixes->len) {
                session->separator = separator ? separator[0] : '\0';
                g_free(session->prefix);
                session->prefix = g_strdup(prefix ? prefix : "");
            }
            g_ptr_array_add(session->prefixes, g_strdup(prefix ? prefix : ""));
        }
    }
}

/* * LIST (\Noselect) "/" "" */
static void on_list(void *self, struct imap_session *session, const struct imap_response *r)
{
    g_autofree char *separator = NULL;
    (void)self;
    if (strcmp(r->name, "LIST") == 0 && imap_parser_skip_value(session->parser) &&
        imap_parser_string(session->parser, &separator))
        session->separator = separator ? separator[0] : '\0';
}

static gboolean ask_separator(struct imap_session *session, GError **error)
{
    if (session->has_namespace && !imap_session_command(session, "NAMESPACE", on_namespace, NULL, error))
        return FALSE;
    return session->prefixes->len ||
           imap_session_must(session, "LIST \"\" \"\"", "ask for the hierarchy of folders", on_list, NULL,
                             error);
}

struct imap_session *imap_session_open(const struct imap_settings *settings, const struct limits *limits,
                                       GError **error)
{
    struct imap_conn *conn = imap_conn_open(settings, error);
    if (!conn)
        return NULL;
    struct imap_session *session = g_new0(struct imap_session, 1);
    session->conn = conn;
    /* A mail may turn out larger than its RFC822.SIZE, which some servers only guess: twice the limit is
     * still read over, so that such a mail is refused alone and does not end the session. */
    session->parser = imap_parser_new(imap_conn_read, conn, 2 * limits->message_size);
    session->prefix = g_strdup("");
    session->prefixes = g_ptr_array_new_with_free_func(g_free);
    session->seconds = (settings->timeout ? settings->timeout : TIMEOUT_DEFAULT) * TIMEOUTS_PER_COMMAND;
    session->renew = settings->renew ? settings->renew : RENEW_DEFAULT;
    if (!ask_capabilities(session, error) || !ask_separator(session, error)) {
        imap_session_close(session, FALSE);
        return NULL;
    }
    return session;
}

void imap_session_close(struct imap_session *session, gboolean polite)
{
    if (!session)
        return;
    if (polite && imap_session_check(session, NULL)) {
        session->leaving = TRUE;
        session->seconds = LOGOUT_SECONDS;
        imap_session_command(session, "LOGOUT", NULL, NULL, NULL);
    }
    imap_parser_free(session->parser);
    imap_conn_close(session->conn);
    g_clear_error(&session->broken);
    g_free(session->prefix);
    g_ptr_array_unref(session->prefixes);
    g_free(session->answer_code);
    g_free(session->answer_text);
    g_free(session);
}

/* The mailbox */

char *imap_session_folder(const struct imap_session *session, const char *name, GError **error)
{
    g_autofree char *local = g_strdup(name);
    if (session->separator && session->separator != '/')
        g_strdelimit(local, "/", session->separator);
    char *encoded = *name ? mutf7_encode(local) : NULL;
    if (!encoded) {
        g_set_error(error, WS_ERROR, WS_ERROR_CONFIG, "'%s' cannot be the name of a folder", name);
        return NULL;
    }
    gboolean whole = g_ascii_strcasecmp(name, "INBOX") == 0;
    for (guint i = 0; i < session->prefixes->len && !whole; i++) {
        const char *prefix = g_ptr_array_index(session->prefixes, i);
        whole = *prefix && g_ascii_strncasecmp(encoded, prefix, strlen(prefix)) == 0;
    }
    if (!whole && *session->prefix) {
        char *prefixed = g_strconcat(session->prefix, encoded, NULL);
        g_free(encoded);
        return prefixed;
    }
    return encoded;
}

static void on_select(void *self, struct imap_session *session, const struct imap_response *r)
{
    (void)self;
    if (strcmp(r->name, "OK") == 0 && r->code && g_ascii_strncasecmp(r->code, "PERMANENTFLAGS", 14) == 0)
        session->may_keep_keywords = strstr(r->code, "\\*") != NULL;
}

static gboolean is_code(const struct imap_session *session, const char *code)
{
    return session->answer_code && g_ascii_strcasecmp(session->answer_code, code) == 0;
}

static void on_listed(void *self, struct imap_session *session, const struct imap_response *r)
{
    (void)session;
    *(gboolean *)self |= strcmp(r->name, "LIST") == 0;
}

gboolean imap_session_exists(struct imap_session *session, const char *quoted, gboolean *listed,
                             GError **error)
{
    g_autofree char *command = g_strconcat("LIST \"\" ", quoted, NULL);
    *listed = FALSE;
    if (!imap_session_command(session, command, on_listed, listed, error))
        return FALSE;
    *listed = *listed && session->ok;
    return TRUE;
}

/* After a NO to SELECT: is it for the user to mend, or may it be better next time? Not every server says so
 * in a code. */
static gboolean is_missing(struct imap_session *session, const char *quoted)
{
    gboolean listed;
    return is_code(session, "NOPERM") ||
           (imap_session_exists(session, quoted, &listed, NULL) && session->ok && !listed);
}

gboolean imap_session_select(struct imap_session *session, const char *name, gboolean read_only,
                             GError **error)
{
    const char *host = imap_conn_name(session->conn);
    g_autofree char *folder = imap_session_folder(session, name, error);
    if (!folder)
        return FALSE;
    g_autofree char *quoted = imap_quote(folder);
    g_autofree char *command = g_strconcat(read_only ? "EXAMINE " : "SELECT ", quoted, NULL);
    if (!imap_session_command(session, command, on_select, NULL, error))
        return FALSE;
    if (!session->ok) {
        g_autofree char *refusal = g_strdup(session->answer_text);
        g_set_error(error, WS_ERROR, is_missing(session, quoted) ? WS_ERROR_INPUT : WS_ERROR_SOURCE,
                    "could not open mailbox '%s' on %s: %s", name, host, refusal);
        return FALSE;
    }
    if (!read_only && is_code(session, "READ-ONLY")) {
        g_set_error(
            error, WS_ERROR, WS_ERROR_INPUT,
            "mailbox '%s' on %s cannot be changed by this user, so that its mails could only be left there",
            name, host);
        return FALSE;
    }
    return session->uidvalidity || give_up(session, "gives no UIDVALIDITY", "", error);
}

static void on_search(void *self, struct imap_session *session, const struct imap_response *r)
{
    if (strcmp(r->name, "SEARCH") == 0)
        imap_parser_numbers(session->parser, self);
}

static GArray *search(struct imap_session *session, const char *criteria, GError **error)
{
    GArray *uids = g_array_new(FALSE, FALSE, sizeof(guint32));
    g_autofree char *command = g_strconcat("UID SEARCH ", criteria, NULL);
    if (!imap_session_must(session, command, "search the mailbox", on_search, uids, error)) {
        g_array_free(uids, TRUE);
        return NULL;
    }
    g_array_sort(uids, imap_uid_compare);
    return uids;
}

GArray *imap_session_search(struct imap_session *session, const char *criteria, GError **error)
{
    session->news = FALSE;
    return search(session, criteria, error);
}

GArray *imap_session_left(struct imap_session *session, const char *set, GError **error)
{
    g_autofree char *criteria = g_strconcat("UID ", set, NULL);
    return imap_session_command(session, "NOOP", NULL, NULL, error) ? search(session, criteria, error) : NULL;
}
