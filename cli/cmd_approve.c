#include "cli/command.h"
#include "cli/database.h"
#include "cli/format.h"
#include "cli/log.h"
#include "cli/naming.h"
#include "parser/domain.h"
#include "parser/error.h"
#include "reports/render.h"

#include <stdio.h>
#include <string.h>

/* Keys and names of the catalogue, and what passed in mail of the domain and is in no catalogue. */
#define NAMES                                                                                                \
    "SELECT key FROM dmarc.sender UNION SELECT name FROM dmarc.sender UNION "                                \
    "SELECT dmarc_store.bare_name(sender) FROM dmarc.classification WHERE domain = $1"

static gboolean is_own(const char *domain, const char *sender)
{
    g_autofree char *name = g_ascii_strdown(sender, -1);
    g_autofree char *below = g_strconcat(".", domain, NULL);
    return g_str_has_prefix(name, "own mail") || strcmp(name, domain) == 0 || g_str_has_suffix(name, below);
}

static gboolean refuse_own(const char *domain, const char *sender, GError **error)
{
    gboolean own = is_own(domain, sender);
    if (!own && strcmp(sender, "nothing authenticates") != 0)
        return TRUE;
    g_set_error(error, WS_ERROR, WS_ERROR_USAGE,
                own ? "own mail authenticates as the domain itself: there is nothing to decide"
                    : "what does not authenticate has no name: nobody can be told from a forger");
    return FALSE;
}

static gboolean refuse_public_suffix(const char *key, GError **error)
{
    struct domain_list *list = domain_list_new();
    gboolean public = strchr(key, '.') && domain_is_public_suffix(list, key);
    domain_list_free(list);
    if (public)
        g_set_error(error, WS_ERROR, WS_ERROR_USAGE,
                    "anybody can have a domain below %s\nhint: name the sender's own domain", key);
    return !public;
}

/* The key or domain that is meant, owned by the caller; NULL with an error. */
static char *find_sender(struct db *db, const char *domain, const char *sender, GError **error)
{
    struct db_result *meant =
        db_query(db, "looking for a sender", "SELECT dmarc_store.sender_meant($1)", 1, &sender, error);
    char *key = meant ? g_strdup(db_value(meant, 0, 0)) : NULL;
    db_result_free(meant);
    if (!meant || key)
        return key;
    g_autofree char *quoted = naming_quoted(sender);
    g_autofree char *near = naming_nearest(db, NAMES, domain, sender);
    g_set_error(error, WS_ERROR, WS_ERROR_USAGE, "no sender is called %s\nhint: %s%s%s", quoted,
                near ? "did you mean '" : "\"whosends senders ", near ? near : domain,
                near ? "'?" : "\" names those that were seen");
    return NULL;
}

/* What is known now, in a line. verdict: NULL where it was taken back. */
static gboolean tell(struct db *db, const char *domain, const char *key, gint64 changed, const char *verdict,
                     GError **error)
{
    static const char sql[] =
        "SELECT coalesce((SELECT s.name FROM dmarc.sender s WHERE s.key = $2), $2),"
        " EXISTS (SELECT FROM dmarc.classification c WHERE c.domain = $1 AND (c.sender_key = $2"
        " OR c.sender_key IS NULL AND (dmarc_store.bare_name(c.sender) = $2"
        " OR right(dmarc_store.bare_name(c.sender), length($2) + 1) = '.' || $2))),"
        " EXISTS (SELECT FROM dmarc.report r WHERE r.domain = $1),"
        " (SELECT s.kind IN ('mailbox', 'gateway', 'forwarder', 'list') FROM dmarc.sender s"
        " WHERE s.key = $2),"
        " (SELECT min(r.pattern) FROM dmarc.sender_rule r WHERE r.sender = $2 AND r.tenant)";
    const char *values[] = {domain, key};
    struct db_result *known = db_query(db, "asking for a sender", sql, 2, values, error);
    if (!known)
        return FALSE;
    g_autofree char *name = render_safe(db_value(known, 0, 0));
    printf("%s %s for %s", name,
           !verdict          ? "is neither approved nor disowned"
           : *verdict == 't' ? "is approved"
                             : "is disowned",
           domain);
    if (changed)
        printf(": %" G_GINT64_FORMAT " kind%s of its mail changed class or name", changed, PLURAL(changed));
    putchar('\n');
    if (verdict && strcmp(db_value(known, 0, 2), "t") != 0)
        log_warning("there is no report about %s\nhint: it is a policy domain that is named here", domain);
    else if (verdict && strcmp(db_value(known, 0, 1), "t") != 0)
        log_warning("nothing of %s was seen in mail of %s yet", name, domain);
    if (verdict && *verdict == 't' && g_strcmp0(db_value(known, 0, 3), "t") == 0)
        log_warning("anybody can have an account at %s, and all of them are approved now%s%s", name,
                    db_value(known, 0, 4) ? "\nhint: one account may be named alone, as NAME." : "",
                    db_value(known, 0, 4) ? db_value(known, 0, 4) : "");
    db_result_free(known);
    return TRUE;
}

static gboolean decide(struct db *db, const char *domain, const char *sender, const char *verdict,
                       const char *note, GError **error)
{
    g_autofree char *key = find_sender(db, domain, sender, error);
    if (!key || (verdict && strcmp(verdict, "true") == 0 && !refuse_public_suffix(key, error)))
        return FALSE;
    const char *values[] = {domain, sender, verdict, note};
    struct db_result *done = db_query(db, "deciding about a sender",
                                      "SELECT dmarc_store.decide($1, $2, $3::boolean, $4)", 4, values, error);
    gint64 changed = done ? db_int(done, 0, 0) : 0;
    db_result_free(done);
    return done && tell(db, domain, key, changed, verdict, error);
}

static gboolean run(struct cli *cli, const char *verdict, GError **error)
{
    const char *domain_text = cli->arguments[0], *sender = domain_text ? cli->arguments[1] : NULL;
    const char *note = cli->options.note;
    if (!sender || !g_utf8_validate(sender, -1, NULL) || (note && !g_utf8_validate(note, -1, NULL))) {
        g_set_error(error, WS_ERROR, WS_ERROR_USAGE,
                    sender ? "sender and note are to be UTF-8"
                           : "a domain and a sender are to be named\nhint: see \"whosends help %s\"",
                    cli->command->name);
        return FALSE;
    }
    g_autofree char *domain = naming_domain(domain_text, error);
    if (!domain || (!cli->options.forget && !refuse_own(domain, sender, error)))
        return FALSE;
    struct db *db = database_ready(&cli->config, error);
    gboolean ok = db && decide(db, domain, sender, cli->options.forget ? NULL : verdict, note, error);
    db_close(db);
    return ok;
}

gboolean cmd_approve(struct cli *cli, GError **error)
{
    return run(cli, "true", error);
}

gboolean cmd_disown(struct cli *cli, GError **error)
{
    return run(cli, "false", error);
}
