/* One JSON document to TLS reports (RFC 8460, with erratum 6241). The only file that knows json-glib.
 *
 * A report that is about several policy domains goes out as one for each, in the order in which they appear.
 * Takes what real reporters send: dates without a zone (UTC), contact-info null, mx-host as text or list,
 * numbers as text, sums that do not add up, unknown words, one policy or failure that is in no list, no
 * policies; each is a warning. A number of sessions that is not there stays unknown. Refuses what is not
 * strict JSON (RFC 8259; a key twice in one object, comments and a second value included) or no TLS report
 * (json), what names no period or domain, and what passes limits->json_size, json_depth, json_values or
 * text_length. All is decided before the first report begins. No I/O but the reader, no clock. */
#pragma once

#include "parser/aggregate.h"

struct tls_head {
    const char *reporter;     /* domain of contact-info, else organization in lower case, else "" */
    const char *organization; /* organization-name, or NULL */
    const char *contact;      /* contact-info, or NULL */
    const char *report_id;    /* made from the content when there is none */
    const char *domain;       /* policy domain, normalised; never NULL */
    gint64 begin, end;        /* seconds, begin <= end */
};

struct tls_policy {
    const char *type;   /* tlsa sts no-policy-found, or as sent, in lower case; "" when there is none */
    raw_words strings;  /* policy-string */
    raw_words mx_hosts; /* mx-host, without "mx:" in front */
    gint64 successes, failures; /* sessions; -1: not said */
};

struct tls_address {
    int family; /* AF_UNSPEC where there is none */
    guint8 ip[16];
    const char *raw; /* where family is AF_UNSPEC and there was text; else NULL */
};

/* One of failure-details. */
struct tls_failure {
    const char *result_type; /* in lower case; "" when there is none */
    struct tls_address sending, receiving;
    const char *mx_hostname, *mx_helo, *information, *reason_code; /* or NULL */
    gint64 sessions;                                               /* -1: not said */
};

/* begin; for each policy of the domain policy, then failure for each of its details; end. Everything is lent
 * for the call. Each returns TRUE, or FALSE with an error that is handed on; then nothing more is called. */
struct tls_sink {
    gboolean (*begin)(void *self, const struct tls_head *head, GError **error);
    gboolean (*policy)(void *self, const struct tls_policy *policy, GError **error);
    gboolean (*failure)(void *self, const struct tls_failure *failure, GError **error);
    gboolean (*end)(void *self, guint n_warnings, const struct report_warning *warnings, GError **error);
    void *self;
};

/* Reads to the end. Of the hints the file name counts, where the report is silent. */
enum parse_status tls_parse(struct byte_reader reader, const struct limits *limits,
                            const struct report_hints *hints, const struct tls_sink *sink,
                            struct parse_outcome *outcome_r, GError **error);
