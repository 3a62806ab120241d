#include "db/profile.h"

#include "parser/domain.h"
#include "parser/sha256.h"

#include <string.h>

struct profiler {
    struct profile profile;
    GString *text;
    struct sha256 *sum;
};

struct profiler *profiler_new(void)
{
    struct profiler *profiler = g_new0(struct profiler, 1);
    profiler->profile.dkim = g_array_new(FALSE, FALSE, sizeof(struct profile_name));
    profiler->profile.spf = g_array_new(FALSE, FALSE, sizeof(struct profile_name));
    profiler->profile.reasons = g_ptr_array_new();
    profiler->text = g_string_new(NULL);
    profiler->sum = sha256_new();
    return profiler;
}

void profiler_free(struct profiler *profiler)
{
    if (!profiler)
        return;
    g_array_unref(profiler->profile.dkim);
    g_array_unref(profiler->profile.spf);
    g_ptr_array_unref(profiler->profile.reasons);
    g_string_free(profiler->text, TRUE);
    sha256_free(profiler->sum);
    g_free(profiler);
}

/* As dmarc.is_name(): two labels at least, of lower-case letters, digits, '_' and '-'. */
static gboolean is_name(const char *name)
{
    guint labels = 0, length = 0;
    const char *at = name;
    for (;; at++) {
        if (g_ascii_islower(*at) || g_ascii_isdigit(*at) || *at == '_' || *at == '-') {
            length++;
            continue;
        }
        if (!length || length > 63)
            return FALSE;
        labels++;
        length = 0;
        if (*at != '.')
            break;
    }
    return !*at && labels >= 2 && at - name <= 253;
}

/* As dmarc_store.is_ours(). */
static gboolean is_ours(const char *name, const char *domain, const struct report_record *record)
{
    return !strcmp(name, record->header_from) || !strcmp(name, domain) ||
           !g_strcmp0(name, record->dkim_aligned_domain) || domain_is_below(name, record->header_from) ||
           domain_is_below(name, domain);
}

static gboolean is_own_signed(const char *domain, const struct report_record *record)
{
    gboolean found = FALSE;
    for (guint i = 0; i < record->n_dkim && !record->dkim_aligned && !record->spf_aligned && !found; i++) {
        const char *name = record->dkim[i].domain;
        found = name && is_name(name) && is_ours(name, domain, record);
    }
    return found;
}

static gint by_bytes(gconstpointer a, gconstpointer b)
{
    const struct profile_name *one = a, *other = b;
    int order = strcmp(one->name, other->name);
    /* NULL comes last, as in SQL. */
    return order                            ? order
           : one->detail && other->detail   ? strcmp(one->detail, other->detail)
           : (one->detail == other->detail) ? 0
           : one->detail                    ? -1
                                            : 1;
}

static void sort_once(GArray *names)
{
    guint kept = 0;
    g_array_sort(names, by_bytes);
    for (guint i = 0; i < names->len; i++) {
        const struct profile_name *name = &g_array_index(names, struct profile_name, i);
        if (!kept || by_bytes(&g_array_index(names, struct profile_name, kept - 1), name))
            g_array_index(names, struct profile_name, kept++) = *name;
    }
    g_array_set_size(names, kept);
}

static gint by_word(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void gather(struct profile *profile, const char *domain, const struct report_record *record)
{
    g_array_set_size(profile->dkim, 0);
    g_array_set_size(profile->spf, 0);
    g_ptr_array_set_size(profile->reasons, 0);
    for (guint i = 0; i < record->n_dkim; i++) {
        const struct dkim_result *result = &record->dkim[i];
        if (g_strcmp0(result->result, "pass") || !result->domain || !is_name(result->domain))
            continue;
        struct profile_name name = {result->domain,
                                    is_ours(result->domain, domain, record) ? result->selector : NULL};
        g_array_append_val(profile->dkim, name);
    }
    for (guint i = 0; i < record->n_spf; i++) {
        const struct spf_result *result = &record->spf[i];
        struct profile_name name = {result->domain, result->scope};
        if (!g_strcmp0(result->result, "pass") && result->domain && is_name(result->domain))
            g_array_append_val(profile->spf, name);
    }
    sort_once(profile->dkim);
    sort_once(profile->spf);
    for (guint i = 0; i < record->n_reasons; i++) {
        gboolean there = !record->reasons[i].type;
        for (guint k = 0; !there && k < profile->reasons->len; k++)
            there = !strcmp(profile->reasons->pdata[k], record->reasons[i].type);
        if (!there)
            g_ptr_array_add(profile->reasons, (gpointer)record->reasons[i].type);
    }
    g_ptr_array_sort(profile->reasons, by_word);
    profile->own_signed = is_own_signed(domain, record);
}

/* By hand: printf() was most of what a profile costs. */
static void add_number(GString *text, gsize number, char end)
{
    char digits[24];
    gsize at = sizeof digits;
    digits[--at] = end;
    do
        digits[--at] = (char)('0' + number % 10);
    while (number /= 10);
    g_string_append_len(text, digits + at, (gssize)(sizeof digits - at));
}

/* As dmarc_store.framed(). */
static void frame(GString *text, const char *value)
{
    if (value) {
        gsize length = strlen(value);
        add_number(text, length, ':');
        g_string_append_len(text, value, (gssize)length);
        g_string_append_c(text, ';');
    } else {
        g_string_append_len(text, "-;", 2);
    }
}

static void frame_names(GString *text, const GArray *names)
{
    add_number(text, names->len, '[');
    for (guint i = 0; i < names->len; i++) {
        frame(text, g_array_index(names, struct profile_name, i).name);
        frame(text, g_array_index(names, struct profile_name, i).detail);
    }
}

const struct profile *profiler_look(struct profiler *profiler, const char *domain,
                                    const struct report_record *record)
{
    struct profile *profile = &profiler->profile;
    GString *text = profiler->text;
    guint8 sum[SHA256_BYTES];
    gather(profile, domain, record);
    g_string_truncate(text, 0);
    frame(text, record->header_from);
    g_string_append_c(text, record->dkim_aligned ? '1' : '0');
    g_string_append_c(text, record->spf_aligned ? '1' : '0');
    g_string_append_c(text, profile->own_signed ? '1' : '0');
    frame(text, record->dkim_aligned_domain);
    frame(text, record->dkim_aligned_selector);
    frame(text, record->spf_aligned_domain);
    frame_names(text, profile->dkim);
    frame_names(text, profile->spf);
    add_number(text, profile->reasons->len, '[');
    for (guint i = 0; i < profile->reasons->len; i++)
        frame(text, profile->reasons->pdata[i]);
    sha256_add(profiler->sum, text->str, text->len);
    sha256_take(profiler->sum, sum);
    memcpy(profile->hash, sum, DIGEST_BYTES);
    return profile;
}
