/* Dates as reports write them. No clock, no time zone of the machine. */
#pragma once

#include <glib.h>

enum date_form {
    DATE_PLAIN,    /* digits: seconds since 1970-01-01 UTC */
    DATE_FRACTION, /* the same with a decimal fraction, which is dropped, or a sign */
    DATE_ROUNDED,  /* the same with an exponent, before which digits may be missing */
    DATE_OTHER,    /* milliseconds and smaller; ISO 8601 with a time zone; or as in a header field */
    DATE_NO_ZONE,  /* one of these two without a time zone that is known, read as UTC */
    DATE_NONE,     /* no date, or one before 1970 or after the year 5138 */
};

/* Reads trimmed text into seconds; *seconds_r is 0 for DATE_NONE. */
enum date_form date_parse(const char *text, gint64 *seconds_r);

/* Reads the date of a header field (RFC 5322 section 3.3, obsolete forms and comments included; the day's
 * name is not looked at, a missing zone is UTC). FALSE when it is none, or one before 1970 or after the year
 * 5138. */
gboolean date_parse_mail(const char *text, gint64 *seconds_r);
