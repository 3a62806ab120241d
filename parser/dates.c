#include "parser/dates.h"

#include "parser/number.h"

#include <string.h>

/* Beyond the year 5138 a number of seconds is a number of something smaller. */
#define SECONDS_MAX G_GINT64_CONSTANT(100000000000)
#define WORD_SPACE 32 /* for a word of a date */

static gboolean in_range(gint64 seconds)
{
    return seconds >= 0 && seconds <= SECONDS_MAX;
}

/* As GLib wants it: "2026-10-12 08:00:00 UTC" becomes "2026-10-12T08:00:00Z", and so do a day alone and a
 * time without minutes or seconds. */
static char *iso_form(const char *text)
{
    static const char midnight[] = "T00:00:00";
    static const struct {
        gsize length;
        const char *rest;
    } short_times[] = {{strlen("2026-10-12"), midnight},
                       {strlen("2026-10-12T"), midnight + 1},
                       {strlen("2026-10-12T08"), midnight + 3},
                       {strlen("2026-10-12T08:00"), midnight + 6}};
    g_autofree char *upper = g_ascii_strup(text, -1);
    gsize n = strlen(upper);
    if (n > 10 && upper[10] == ' ')
        upper[10] = 'T';
    char *zone = strrchr(upper, ' ');
    if (zone != NULL)
        memmove(zone, zone + 1, strlen(zone));
    if (g_str_has_suffix(upper, "UTC") || g_str_has_suffix(upper, "GMT"))
        memcpy(upper + strlen(upper) - 3, "Z", 2);
    n = strcspn(upper, "T");
    n += strcspn(upper + n, "Z+-");
    if (n == strlen(upper) && n > 10 && strchr("Z+-", upper[10]) != NULL)
        n = 10; /* a day and a zone */
    for (gsize i = 0; i < G_N_ELEMENTS(short_times); i++)
        if (n == short_times[i].length)
            return g_strdup_printf("%.*s%s%s", (int)n, upper, short_times[i].rest, upper + n);
    return g_steal_pointer(&upper);
}

static enum date_form parse_iso(const char *text, gint64 *seconds_r)
{
    if (strlen(text) > 40 || strpbrk(text, "-tT") == NULL)
        return DATE_NONE;
    g_autofree char *iso = iso_form(text);
    char *hour = strstr(iso, "T24:00:00");
    gboolean end_of_day = hour != NULL;
    if (end_of_day)
        memcpy(hour, "T23", 3);
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) zoned = g_date_time_new_from_iso8601(iso, NULL);
    g_autoptr(GDateTime) date =
        zoned != NULL ? g_date_time_ref(zoned) : g_date_time_new_from_iso8601(iso, utc);
    gint64 seconds = date != NULL ? g_date_time_to_unix(date) + (end_of_day ? 3600 : 0) : -1;
    if (!in_range(seconds))
        return DATE_NONE;
    *seconds_r = seconds;
    return zoned != NULL ? DATE_OTHER : DATE_NO_ZONE;
}

static enum date_form scaled(gint64 value, enum date_form form, gint64 *seconds_r)
{
    while (value > SECONDS_MAX) {
        value /= 1000;
        form = DATE_OTHER;
    }
    *seconds_r = value;
    return form;
}

/* The next word of a date: letters, or digits and what stands between them in a time or a zone. Comments and
 * all else are left out. */
static gsize next_word(const char **at, char *word, gsize space)
{
    gsize n = 0, depth = 0;
    for (; **at != '\0' && (n == 0 || depth > 0); (*at)++) {
        if (**at == '(')
            depth++;
        else if (**at == ')' && depth > 0)
            depth--;
        if (depth > 0 || **at == ')')
            continue;
        const char *start = *at;
        while (g_ascii_isalnum(**at) || (**at != '\0' && strchr(":+-", **at) != NULL))
            (*at)++;
        n = MIN((gsize)(*at - start), space - 1);
        memcpy(word, start, n);
        if (n > 0)
            break;
    }
    word[n] = '\0';
    return n;
}

static int month_of(const char *word)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    for (int i = 0; i < 12; i++)
        if (strlen(word) >= 3 && g_ascii_strncasecmp(word, names + i * 3, 3) == 0)
            return i + 1;
    return 0;
}

/* Minutes east of UTC. FALSE for military letters and unknown names, which say nothing (RFC 5322 section
 * 4.3): UTC. */
static gboolean is_zone(const char *word, int *minutes_r)
{
    static const struct {
        const char *name;
        int minutes;
    } names[] = {{"EST", -300}, {"EDT", -240}, {"CST", -360}, {"CDT", -300}, {"MST", -420},
                 {"MDT", -360}, {"PST", -480}, {"PDT", -420}, {"CET", 60},   {"CEST", 120},
                 {"UTC", 0},    {"GMT", 0},    {"UT", 0},     {"Z", 0}};
    *minutes_r = 0;
    if ((*word == '+' || *word == '-') && strspn(word + 1, "0123456789") == 4 && word[5] == '\0') {
        int number = (int)g_ascii_strtoll(word + 1, NULL, 10);
        int minutes = number / 100 * 60 + number % 100;
        if (minutes < 24 * 60)
            *minutes_r = *word == '-' ? -minutes : minutes;
        return minutes < 24 * 60;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_ascii_strcasecmp(word, names[i].name) == 0) {
            *minutes_r = names[i].minutes;
            return TRUE;
        }
    return FALSE;
}

/* RFC 5322 section 4.3: two digits are of this century up to 49, three are counted from 1900. */
static int year_of(const char *word)
{
    gsize n = strspn(word, "0123456789");
    int year = word[n] == '\0' && n >= 2 && n <= 4 ? (int)g_ascii_strtoll(word, NULL, 10) : 0;
    return n == 2 && year < 50 ? year + 2000 : n < 4 && year > 0 ? year + 1900 : year;
}

/* Two digits, and three times two with the seconds. */
static gboolean time_of(const char *word, int *hour_r, int *minute_r, int *second_r)
{
    int *const parts[] = {hour_r, minute_r, second_r};
    *second_r = 0;
    for (gsize i = 0; i < 3; i++) {
        gsize n = strspn(word, "0123456789");
        if (n < 1 || n > 2)
            return FALSE;
        *parts[i] = (int)g_ascii_strtoll(word, NULL, 10);
        word += n;
        if (*word == '\0')
            return i > 0;
        if (*word++ != ':')
            return FALSE;
    }
    return FALSE;
}

/* The zone is what stands in its place, or "". */
static gboolean parse_mail(const char *text, gint64 *seconds_r, gboolean *zoned_r, char zone[WORD_SPACE])
{
    char day[WORD_SPACE], month[WORD_SPACE], year[WORD_SPACE], time[WORD_SPACE];
    int hour, minute, second, east;
    *seconds_r = 0;
    if (strlen(text) > 200)
        return FALSE;
    next_word(&text, day, sizeof day);
    if (g_ascii_isalpha(day[0]))
        next_word(&text, day, sizeof day);
    next_word(&text, month, sizeof month);
    next_word(&text, year, sizeof year);
    next_word(&text, time, sizeof time);
    next_word(&text, zone, WORD_SPACE);
    gsize digits = strspn(day, "0123456789");
    if (digits < 1 || digits > 2 || day[digits] != '\0' || !time_of(time, &hour, &minute, &second))
        return FALSE;
    *zoned_r = is_zone(zone, &east);
    /* A leap second is the one before it. */
    g_autoptr(GDateTime) date =
        g_date_time_new_utc(MAX(year_of(year), 1), month_of(month), (int)g_ascii_strtoll(day, NULL, 10), hour,
                            minute, MIN(second, second > 60 ? 60 : 59));
    gint64 seconds = date != NULL ? g_date_time_to_unix(date) - (gint64)east * 60 : -1;
    if (!in_range(seconds))
        return FALSE;
    *seconds_r = seconds;
    return TRUE;
}

gboolean date_parse_mail(const char *text, gint64 *seconds_r)
{
    char zone[WORD_SPACE];
    gboolean zoned;
    return parse_mail(text, seconds_r, &zoned, zone);
}

/* What is no number. */
static enum date_form parse_calendar(const char *text, gint64 *seconds_r)
{
    char zone[WORD_SPACE];
    gboolean zoned;
    enum date_form form = parse_iso(text, seconds_r);
    if (form != DATE_NONE || !parse_mail(text, seconds_r, &zoned, zone))
        return form;
    if (g_ascii_strcasecmp(zone, "AM") != 0 && g_ascii_strcasecmp(zone, "PM") != 0)
        return zoned ? DATE_OTHER : DATE_NO_ZONE;
    *seconds_r = 0;
    return DATE_NONE;
}

enum date_form date_parse(const char *text, gint64 *seconds_r)
{
    *seconds_r = 0;
    const char *digits = text + (*text == '+');
    gsize n = strspn(digits, "0123456789");
    const char *rest = digits + n;
    gdouble number;
    if (number_scientific(digits, &number))
        return number < 1e18 ? scaled((gint64)number, DATE_ROUNDED, seconds_r) : DATE_NONE;
    gboolean fraction = *rest == '.' && rest[1 + strspn(rest + 1, "0123456789")] == '\0';
    gint64 value = g_ascii_strtoll(digits, NULL, 10);
    if (n == 0 || n > 19 || value == G_MAXINT64 || (*rest != '\0' && !fraction))
        return parse_calendar(text, seconds_r);
    return scaled(value, *rest != '\0' || digits != text ? DATE_FRACTION : DATE_PLAIN, seconds_r);
}
