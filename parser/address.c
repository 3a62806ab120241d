#include "parser/address.h"

#include "parser/domain.h"

#include <arpa/inet.h>
#include <string.h>

static gboolean is_masked(const char *text)
{
    gsize length = strlen(text);
    return length > 2 && strspn(text, "0123456789abcdefABCDEFxX*.:") == length &&
           strpbrk(text, "xX*") != NULL && strpbrk(text, ".:") != NULL;
}

static int parse_plain(const char *text, guint8 out_r[16])
{
    memset(out_r, 0, 16);
    if (inet_pton(AF_INET, text, out_r) == 1)
        return AF_INET;
    if (inet_pton(AF_INET6, text, out_r) == 1)
        return AF_INET6;
    memset(out_r, 0, 16);
    return AF_UNSPEC;
}

static gboolean is_port(const char *text)
{
    gsize digits = *text == ':' ? strspn(text + 1, "0123456789") : 0;
    return digits > 0 && digits <= 5 && text[1 + digits] == '\0';
}

/* What is left without what writers of addresses put around them: "[...]" and "IPv6:" of an address literal
 * (RFC 5321 section 4.1.3), a port behind brackets or IPv4, and a zone. NULL when nothing can be. Owned by
 * the caller. */
static char *unwrapped(const char *text)
{
    const char *end = text + strlen(text), *colon = strchr(text, ':');
    if (end - text >= 80)
        return NULL;
    if (*text == '[') {
        end = strchr(++text, ']');
        if (end == NULL || (end[1] != '\0' && !is_port(end + 1)))
            return NULL;
    } else if (colon != NULL && is_port(colon)) {
        end = colon;
    }
    if (end - text >= 5 && g_ascii_strncasecmp(text, "IPv6:", 5) == 0)
        text += 5;
    return g_strndup(text, MIN((gsize)(end - text), strcspn(text, "%")));
}

int address_parse_ip(const char *text, guint8 out_r[16], enum ip_form *form_r)
{
    static const guint8 mapped[12] = {[10] = 0xff, [11] = 0xff};
    *form_r = IP_PLAIN;
    g_autofree char *bare = NULL;
    int family = parse_plain(text, out_r);
    if (family == AF_UNSPEC && strpbrk(text, "[%:") != NULL) {
        bare = unwrapped(text);
        family = bare != NULL ? parse_plain(bare, out_r) : AF_UNSPEC;
        *form_r = IP_REWRITTEN;
    }
    if (family == AF_INET6 && memcmp(out_r, mapped, sizeof mapped) == 0) {
        memmove(out_r, out_r + 12, 4);
        memset(out_r + 4, 0, 12);
        family = AF_INET;
        *form_r = IP_REWRITTEN;
    }
    if (family == AF_UNSPEC)
        *form_r = is_masked(bare != NULL ? bare : text) ? IP_MASKED : IP_NONE;
    return family;
}

static gboolean is_atom(char c)
{
    return (guchar)c >= 0x80 || g_ascii_isalnum(c) ||
           (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL);
}

static gboolean is_host(char c)
{
    return (guchar)c >= 0x80 || g_ascii_isalnum(c) || c == '-' || c == '.' || c == '_';
}

/* The first '@' that is not within quotes, in which a local part may have any; NULL when there is none. */
static const char *find_at(const char *text)
{
    gboolean quoted = FALSE;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '@' && !quoted)
            return c;
        if (*c == '\\' && quoted && c[1] != '\0')
            c++;
        else if (*c == '"')
            quoted = !quoted;
    }
    return quoted ? strchr(text, '@') : NULL; /* quotes that do not end are none */
}

char *address_mail_domain(const char *text, gboolean *plain_r)
{
    *plain_r = FALSE;
    const char *at = find_at(text), *end = at;
    if (at == NULL)
        return NULL;
    while (*end == '@')
        for (at = end++; is_host(*end);)
            end++;
    const char *start = at;
    while (start > text && is_atom(start[-1]))
        start--;
    *plain_r = start == text && start < at && *end == '\0';
    g_autofree char *part = g_strndup(at + 1, (gsize)(end - at - 1));
    gboolean ok;
    g_autofree char *domain = domain_normalise(part, &ok);
    if (ok && *domain != '\0')
        return g_steal_pointer(&domain);
    *plain_r = FALSE;
    return NULL;
}

static gboolean is_seconds(const char *text, gint64 *seconds_r)
{
    gsize digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 11 || text[digits] != '\0')
        return FALSE;
    *seconds_r = g_ascii_strtoll(text, NULL, 10);
    return TRUE;
}

gboolean address_report_file_name(const char *name, char **receiver_r, char **domain_r, gint64 *begin_r,
                                  gint64 *end_r)
{
    const char *slash = strrchr(name, '/');
    g_auto(GStrv) fields = g_strsplit(slash != NULL ? slash + 1 : name, "!", 6);
    if (g_strv_length(fields) < 4)
        return FALSE;
    char *dot = strchr(fields[3], '.');
    if (dot != NULL)
        *dot = '\0';
    if (!is_seconds(fields[2], begin_r) || !is_seconds(fields[3], end_r))
        return FALSE;
    gboolean ok;
    g_autofree char *domain = domain_normalise(fields[1], &ok);
    if (!ok || *domain == '\0')
        return FALSE;
    gboolean receiver_ok;
    *receiver_r = domain_normalise(fields[0], &receiver_ok);
    *domain_r = g_steal_pointer(&domain);
    return TRUE;
}
