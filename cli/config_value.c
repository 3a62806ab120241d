#include "cli/config_value.h"

#include "cli/nearest.h"
#include "parser/domain.h"
#include "parser/error.h"
#include "reports/render.h"

#include <string.h>

gboolean config_refuse(GError **error, const struct place *place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, WS_ERROR, place->origin == ORIGIN_OPTION ? WS_ERROR_USAGE : WS_ERROR_CONFIG,
                        message);
    return FALSE;
}

void config_wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    g_free(secret);
}

gboolean config_conninfo_secret(const char *conninfo)
{
    for (const char *at = strstr(conninfo, "password"); at; at = strstr(at + 1, "password")) {
        const char *after = at + strlen("password");
        if (after[strspn(after, " \t")] == '=')
            return TRUE;
    }
    const char *authority = strstr(conninfo, "://");
    if (!authority ||
        (!g_str_has_prefix(conninfo, "postgres://") && !g_str_has_prefix(conninfo, "postgresql://")))
        return FALSE;
    authority += 3;
    gsize length = strcspn(authority, "/?#");
    const char *user_end = memchr(authority, '@', length);
    const char *colon = memchr(authority, ':', length);
    return user_end && colon && colon < user_end;
}

static char *resolve_path(const char *value, const struct place *place)
{
    if (g_str_has_prefix(value, "~/"))
        return g_build_filename(g_get_home_dir(), value + 2, NULL);
    if (place->directory && !g_path_is_absolute(value))
        return g_build_filename(place->directory, value, NULL);
    return g_strdup(value);
}

static gboolean set_number(const struct slot *slot, const char *value, const struct place *place,
                           GError **error)
{
    const struct config_key *key = slot->key;
    g_auto(GStrv) bounds = g_strsplit(key->range, " ", 2);
    guint64 least = g_ascii_strtoull(bounds[0], NULL, 10), most = g_ascii_strtoull(bounds[1], NULL, 10),
            number;
    if (!g_ascii_string_to_unsigned(value, 10, least, most, &number, NULL)) {
        g_autofree char *safe = render_safe(value);
        return config_refuse(error, place, "cannot use '%s' for %s.%s (%s): it takes a number from %s to %s",
                             safe, slot->group, key->name, place->name, bounds[0], bounds[1]);
    }
    G_STRUCT_MEMBER(guint, slot->base, key->offset) = (guint)number;
    return TRUE;
}

static gboolean check_choice(const struct slot *slot, const char *value, const struct place *place,
                             GError **error)
{
    g_auto(GStrv) words = g_strsplit(slot->key->range, " ", -1);
    if (g_strv_contains((const char *const *)words, value))
        return TRUE;
    g_autofree char *safe = render_safe(value);
    const char *near = nearest_word(value, (const char *const *)words);
    g_autofree char *list = g_strjoinv(", ", words);
    return config_refuse(error, place, "cannot use '%s' for %s.%s (%s): it takes one of %s%s%s%s", safe,
                         slot->group, slot->key->name, place->name, list,
                         near ? "\nhint: did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static gboolean check_secret(const struct slot *slot, const char *value, const struct place *place,
                             GError **error)
{
    const struct config_key *key = slot->key;
    gboolean secret =
        key->kind == CONFIG_SECRET || (strcmp(key->name, "database") == 0 && config_conninfo_secret(value));
    if (key->kind == CONFIG_SECRET && place->origin != ORIGIN_FILE)
        return config_refuse(error, place,
                             "cannot take %s.%s from %s: others could see it\nhint: use %s.%s_file or "
                             "%s.%s_command",
                             slot->group, key->name, place->name, slot->group, key->name, slot->group,
                             key->name);
    if (secret && place->readable)
        return config_refuse(
            error, place,
            "cannot use %s.%s: %s holds a secret and may be read by others\nhint: chmod 600 it, or "
            "put the secret into a file of its own",
            slot->group, key->name, place->name);
    return TRUE;
}

/* Splits a list; the member becomes NULL for an empty one. */
static gboolean set_words(const struct slot *slot, const char *value, const struct place *place,
                          GError **error)
{
    const struct config_key *key = slot->key;
    char ***member = G_STRUCT_MEMBER_P(slot->base, key->offset);
    g_auto(GStrv) parts = g_strsplit_set(value ? value : "", key->kind == CONFIG_FOLDERS ? "|" : " \t,", -1);
    g_autoptr(GStrvBuilder) words = g_strv_builder_new();
    guint n = 0;
    for (char **part = parts; *part; part++) {
        gboolean good = TRUE;
        if (!*g_strstrip(*part))
            continue;
        g_autofree char *word =
            key->kind == CONFIG_DOMAINS ? domain_normalise(*part, &good) : g_strdup(*part);
        if (!good || !*word) {
            g_autofree char *safe = render_safe(*part);
            return config_refuse(error, place, "cannot use '%s' for %s.%s (%s): it cannot be a domain", safe,
                                 slot->group, key->name, place->name);
        }
        g_strv_builder_add(words, word);
        n++;
    }
    g_strfreev(*member);
    *member = n ? g_strv_builder_end(words) : NULL;
    return TRUE;
}

static gboolean is_list(const struct config_key *key)
{
    return key->kind == CONFIG_WORDS || key->kind == CONFIG_DOMAINS || key->kind == CONFIG_FOLDERS;
}

static gboolean set_text(const struct slot *slot, const char *value, const struct place *place,
                         GError **error)
{
    const struct config_key *key = slot->key;
    char **member = G_STRUCT_MEMBER_P(slot->base, key->offset), *text = NULL;
    if (value && (!check_secret(slot, value, place, error) ||
                  (key->kind == CONFIG_CHOICE && !check_choice(slot, value, place, error))))
        return FALSE;
    if (value)
        text = key->kind == CONFIG_PATH ? resolve_path(value, place) : g_strdup(value);
    config_wipe(*member);
    *member = text;
    return TRUE;
}

gboolean config_value_set(const struct slot *slot, const char *value, const struct place *place,
                          GError **error)
{
    const struct config_key *key = slot->key;
    if (key->kind == CONFIG_FOLDERS ? !value[strspn(value, " \t|")] : !*value)
        value = key->initial;
    if (value && !g_utf8_validate(value, -1, NULL))
        return config_refuse(error, place, "cannot use the value of %s.%s (%s): it is not UTF-8", slot->group,
                             key->name, place->name);
    gboolean ok = key->kind == CONFIG_NUMBER ? set_number(slot, value, place, error)
                  : is_list(key)             ? set_words(slot, value, place, error)
                                             : set_text(slot, value, place, error);
    if (ok)
        slot->origins[key - config_keys] = place->origin;
    return ok;
}

void config_value_copy(const struct slot *to, const struct slot *from)
{
    const struct config_key *key = to->key;
    config_value_clear(to);
    if (key->kind == CONFIG_NUMBER)
        G_STRUCT_MEMBER(guint, to->base, key->offset) = G_STRUCT_MEMBER(guint, from->base, key->offset);
    else if (is_list(key))
        G_STRUCT_MEMBER(char **, to->base, key->offset) =
            g_strdupv(G_STRUCT_MEMBER(char **, from->base, key->offset));
    else
        G_STRUCT_MEMBER(char *, to->base, key->offset) =
            g_strdup(G_STRUCT_MEMBER(char *, from->base, key->offset));
    to->origins[key - config_keys] = from->origins[key - config_keys];
}

void config_value_clear(const struct slot *slot)
{
    gsize offset = slot->key->offset;
    if (is_list(slot->key))
        g_clear_pointer(&G_STRUCT_MEMBER(char **, slot->base, offset), g_strfreev);
    else if (slot->key->kind != CONFIG_NUMBER)
        g_clear_pointer(&G_STRUCT_MEMBER(char *, slot->base, offset), config_wipe);
}

gboolean config_parse_size(const char *value, guint64 most, guint64 *size_r)
{
    static const char units[] = "KMG";
    gsize length = strlen(value);
    const char *unit = length ? strchr(units, g_ascii_toupper(value[length - 1])) : NULL;
    guint shift = unit ? 10 * (guint)(unit - units + 1) : 0;
    g_autofree char *digits = g_strndup(value, unit ? length - 1 : length);
    if (!g_ascii_string_to_unsigned(digits, 10, 0, most >> shift, size_r, NULL))
        return FALSE;
    *size_r <<= shift;
    return TRUE;
}
