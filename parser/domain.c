#include "parser/domain.h"

#include <libpsl.h>
#include <string.h>
#include <sys/stat.h>

enum { NAME_MAX_BYTES = 253, LABEL_MAX_BYTES = 63 };

struct domain_list {
    psl_ctx_t *psl; /* NULL when not even libpsl has a list: then every name stands for itself */
    char *describe;
};

static char *describe(time_t when, const char *where)
{
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(when);
    g_autofree char *day = date != NULL ? g_date_time_format(date, "%Y-%m-%d") : g_strdup("undated");
    return g_strdup_printf("%s (%s)", day, where);
}

struct domain_list *domain_list_new(void)
{
    struct domain_list *list = g_new0(struct domain_list, 1);
    const char *file = psl_dist_filename();
    struct stat status;
    if (file != NULL && *file != '\0' && stat(file, &status) == 0 &&
        (list->psl = psl_load_file(file)) != NULL) {
        list->describe = describe(status.st_mtime, file);
        return list;
    }
    psl_ctx_t *builtin = (psl_ctx_t *)(guintptr)psl_builtin();
    list->psl = builtin;
    list->describe =
        builtin != NULL ? describe(psl_builtin_file_time(), "built into libpsl") : g_strdup("none");
    return list;
}

void domain_list_free(struct domain_list *list)
{
    if (list == NULL)
        return;
    psl_free(list->psl); /* leaves the builtin list alone */
    g_free(list->describe);
    g_free(list);
}

const char *domain_list_describe(const struct domain_list *list)
{
    return list->describe;
}

static gboolean labels_ok(const char *name)
{
    gsize label = 0, length = 0;
    for (; name[length] != '\0'; length++) {
        guchar c = (guchar)name[length];
        if (c <= ' ' || c >= 0x7f || strchr("@<>\",;:\\()[]/", c) != NULL)
            return FALSE;
        if (c == '.' && label == 0)
            return FALSE;
        label = c == '.' ? 0 : label + 1;
        if (label > LABEL_MAX_BYTES)
            return FALSE;
    }
    return length <= NAME_MAX_BYTES && (length == 0 || label > 0);
}

static gboolean is_ascii(const char *text)
{
    for (; *text != '\0'; text++)
        if ((guchar)*text >= 0x80)
            return FALSE;
    return TRUE;
}

/* What an address leaves: the part behind the last '@', without brackets, blanks and dots of the root. */
static char *bare(const char *text)
{
    const char *at = strrchr(text, '@');
    const char *start = at != NULL ? at + 1 : text;
    while (*start == '<' || g_ascii_isspace(*start))
        start++;
    gsize length = strlen(start);
    while (length > 0 && (start[length - 1] == '>' || g_ascii_isspace(start[length - 1])))
        length--;
    while (length > 1 && start[length - 1] == '.')
        length--;
    return g_strndup(start, length);
}

static char *to_ascii(const char *name)
{
    /* An A-label is never shorter than a sixth of its U-label. */
    if (strlen(name) > 6 * NAME_MAX_BYTES || !g_utf8_validate(name, -1, NULL))
        return NULL;
    g_autofree char *ascii = g_hostname_to_ascii(name);
    return ascii != NULL ? g_ascii_strdown(ascii, -1) : NULL;
}

char *domain_normalise(const char *text, gboolean *ok_r)
{
    g_autofree char *name = bare(text);
    if (is_ascii(name)) {
        for (char *c = name; *c != '\0'; c++)
            *c = g_ascii_tolower(*c);
        *ok_r = labels_ok(name);
        return g_steal_pointer(&name);
    }
    g_autofree char *ascii = to_ascii(name);
    *ok_r = ascii != NULL && labels_ok(ascii);
    if (*ok_r)
        return g_steal_pointer(&ascii);
    g_autofree char *valid = g_utf8_make_valid(name, -1);
    return g_ascii_strdown(valid, -1); /* the same in every locale */
}

const char *domain_organizational(const struct domain_list *list, const char *name)
{
    /* The list's rule for unknown suffixes would cut addresses, too: 192.0.2.1 is not of the house 2.1. */
    const char *dot = strrchr(name, '.');
    if (list->psl == NULL || dot == NULL || g_ascii_isdigit(dot[1]) || strlen(name) > NAME_MAX_BYTES)
        return name;
    const char *registrable = psl_registrable_domain(list->psl, name);
    return registrable != NULL ? registrable : name;
}

gboolean domain_is_below(const char *name, const char *domain)
{
    gsize n = strlen(name), length = strlen(domain);
    return length > 0 && n > length && name[n - length - 1] == '.' && strcmp(name + n - length, domain) == 0;
}

gboolean domain_is_public_suffix(const struct domain_list *list, const char *name)
{
    return list->psl != NULL && strlen(name) <= NAME_MAX_BYTES &&
           psl_is_public_suffix2(list->psl, name, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE);
}

gboolean domain_aligned(const struct domain_list *list, const char *authenticated, const char *header_from,
                        gboolean strict)
{
    if (*authenticated == '\0' || *header_from == '\0')
        return FALSE;
    if (strcmp(authenticated, header_from) == 0)
        return TRUE;
    return !strict &&
           strcmp(domain_organizational(list, authenticated), domain_organizational(list, header_from)) == 0;
}

gboolean domain_is_normal(const char *name)
{
    for (const char *c = name; *c != '\0'; c++)
        if (g_ascii_isupper(*c))
            return FALSE;
    return *name != '\0' && labels_ok(name);
}
