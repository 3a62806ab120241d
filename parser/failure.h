/* One failure report: the fields of a message/feedback-report part (RFC 5965, RFC 6591, RFC 9991), or the
 * text of a mail in which some servers say the same in words, and the header of the message that it is about.
 *
 * Takes fields in any order and case, folded, repeated or missing; what is missing is taken from the
 * message's header or the carrying mail where that is certain, with a warning, and is NULL elsewhere: nothing
 * is defaulted. Never looks at the body of a message. Refuses what is no report of a failed authentication
 * (feedback_type), what names no domain (no_domain) or no date (no_date), and what is larger than
 * limits->failure_size (limit). No I/O, no clock. */
#pragma once

#include "parser/aggregate.h"
#include "parser/arena.h"
#include "parser/warnings.h"

struct failure_report {
    const char *domain;        /* that the message claims to be from, normalised; never NULL */
    const char *reporter;      /* domain of who sent the report; "" when nothing tells */
    const char *reporting_mta; /* host, or NULL */
    const char *user_agent;    /* or NULL */
    gint64 arrived;            /* when the message arrived, else when the report was sent; seconds */
    guint64 incidents;         /* messages that the report stands for; 1 unless it says more */
    raw_words auth_failures;   /* adsp bodyhash revoked signature spf dmarc; NULL-terminated, may be empty */
    const char
        *alignment_failed; /* "none", "dkim", "spf", "dkim spf": what gave no aligned identity; or NULL */
    const char *delivery_result; /* delivered spam policy reject other, or NULL */
    int family;                  /* of source_ip; AF_UNSPEC when there is none */
    guint8 source_ip[16];
    const char *source_raw;  /* where family is AF_UNSPEC and there was text; else NULL */
    const char *mail_from;   /* address; "" is the null reverse-path; or NULL */
    const char *rcpt_domain; /* domain of the recipient, or NULL */
    const char *header_from; /* domain of From: of the message, or NULL */
    const char *from;        /* From: of the message, or NULL */
    const char *subject;     /* of the message, or NULL */
    const char *message_id;  /* of the message, or NULL */
    const char *envelope_id; /* Original-Envelope-Id, or NULL */
    const char *dkim_domain; /* d= and s= of the signature that failed, or NULL */
    const char *dkim_selector;
    guint n_signatures; /* DKIM-Signature fields of the message */
    const char *const *signature_domains, *const *signature_selectors; /* elements may be NULL */
    raw_words results; /* Authentication-Results of the report, else the topmost one of the message */
    raw_words raw;     /* "Field=text" where a word had to be changed */
    guint n_warnings;
    const struct report_warning *warnings;
    /* Only to tell one report from another; not to be stored. */
    const char *recipient; /* Original-Rcpt-To, or NULL */
    const char
        *carrier; /* Message-ID of the carrying mail, where the report has no id of its own; else NULL */
};

/* What a report is read from. All but the first two may be NULL or 0. */
struct failure_source {
    const char *text; /* the fields, or the mail's words */
    gsize length;
    const char *sample; /* header of the message that it is about; for words it stands in them */
    gsize sample_length;
    const char *from_domain; /* of the carrying mail */
    const char *mail_id;     /* its Message-ID */
    gint64 date;             /* its Date:, seconds */
    /* Undoes RFC 2047 in a header field; NULL leaves it. Owned by the caller. */
    char *(*decode)(const char *text);
};

/* The report and the memory that it lives in. A zeroed struct is an empty one. */
struct failure {
    struct arena arena;
    struct warnings warnings;
    struct report_warning warning_rows[CODE_LAST];
    struct failure_report report;
};
void failure_clear(struct failure *failure);

/* Whether the text of a mail begins as such reports in words do. The first 4 KiB are enough. */
gboolean failure_is_words(const char *text, gsize length);

/* PARSE_OK, or PARSE_REFUSED with the reason; feedback_type is no problem, but nothing for us. The subject is
 * there in any case, for it to be hidden elsewhere. */
enum parse_status failure_parse(const struct failure_source *source, const struct limits *limits,
                                struct failure *failure_r, struct parse_outcome *outcome_r);
enum parse_status failure_parse_words(const struct failure_source *source, const struct limits *limits,
                                      struct failure *failure_r, struct parse_outcome *outcome_r);
