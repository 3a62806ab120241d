/* What an aggregate report says, as plain structs, and the one seam through which it is pushed.
 *
 * Everything is lent for the length of one sink call: a sink copies what it keeps. All text is valid
 * UTF-8 without NUL, trimmed of surrounding white space and cut to the limits in limits.h; NULL means
 * "not in the report", "" means "there, and empty". Words are normalised by the tables of words.h;
 * where the raw word differed from the normalised one, the raw one stands in `raw`. */
#pragma once

#include <glib.h>

/* "element=raw text" for each word that had to be changed, in document order, NULL-terminated
 * (a GStrv that is lent). */
typedef const char *const *raw_words;

enum report_generation { GENERATION_UNKNOWN, GENERATION_RFC7489, GENERATION_RFC9990 };

/* report_metadata and policy_published of RFC 7489 appendix C and RFC 9990 appendix A. */
struct report_head {
    enum report_generation generation;
    const char *namespace_uri, *version, *generator;
    const char *org_name, *email, *extra_contact_info, *error;
    const char *report_id;    /* one pair of <> stripped; made from the content when absent */
    const char *reporter;     /* identity: lower-case domain of email, else org_name in lower case, else "" */
    gint64 begin, end;        /* seconds since 1970-01-01 UTC, begin <= end */
    const char *domain;       /* policy domain: lower-case A-label without trailing dot, never NULL or "" */
    const char *p, *sp, *np;  /* none quarantine reject, or NULL */
    const char *adkim, *aspf; /* r s, or NULL (absent: effective r) */
    const char *testing;      /* y n, or NULL */
    const char *discovery_method; /* psl treewalk, or NULL */
    const char *fo;
    int pct;                /* 0..100, or -1 when absent or senseless */
    const char *extensions; /* RFC 9990 report-level extensions as XML text with their namespaces, or NULL */
    raw_words raw;
};

struct dkim_result {
    const char *domain, *selector; /* lower-case, NULL when absent */
    const char *result;            /* none pass fail policy neutral temperror permerror, NULL when unknown */
    const char *raw;               /* the word as sent, where it differs from result; else NULL */
    const char *human_result;
};

struct spf_result {
    const char *domain;
    const char *scope;  /* mfrom helo, or NULL */
    const char *result; /* as above, and softfail */
    const char *raw;
    const char *human_result;
};

struct override_reason {
    const char *type; /* a word of either RFC, or "other" */
    const char *raw;  /* the type as sent, where it differs */
    const char *comment;
};

/* More mails than this from one address in one report are not believed: sums over ten million records stay
 * within 64 bits. */
#define RECORD_COUNT_MAX G_GINT64_CONSTANT(100000000000)

/* One <record>. */
struct report_record {
    int family;              /* AF_INET, AF_INET6, or AF_UNSPEC where source_ip is no address */
    guint8 source_ip[16];    /* network byte order; 4 or 16 bytes used. IPv4-mapped IPv6 comes as AF_INET */
    const char *source_raw;  /* the text, where family is AF_UNSPEC and there was any; else NULL */
    gint64 message_count;    /* 0 .. RECORD_COUNT_MAX */
    const char *header_from; /* lower-case A-label; never NULL */
    const char *envelope_from, *envelope_to; /* domain; "" is the null reverse-path (RFC 9990) */
    const char *disposition;                 /* none pass quarantine reject, NULL when the word is unknown */
    const char *dkim_verdict,
        *spf_verdict;          /* the reporter's policy_evaluated: "pass" or "fail", never NULL */
    gboolean verdict_computed; /* policy_evaluated was absent: the verdicts are ours, from auth_results */
    gboolean dkim_aligned, spf_aligned; /* ours: RFC 9989 section 4.4 / RFC 7489 section 3.1 */
    const char *dkim_aligned_domain, *dkim_aligned_selector; /* the identity that aligned, or NULL */
    const char *spf_aligned_domain;
    gboolean disagree; /* the reporter's verdict differs from ours */
    guint n_dkim, n_spf, n_reasons;
    const struct dkim_result *dkim;
    const struct spf_result *spf;
    const struct override_reason *reasons;
    const char *extensions; /* record-level extensions as XML text, or NULL */
    raw_words raw;
};

/* A deviation that was seen and mended: a code of facts' tables in lower case (date_swap, null_row,
 * ...), how often, and the first occurrence in words. */
struct report_warning {
    const char *code;
    guint count;
    const char *detail; /* may be NULL */
};

/* What is known only at the end of a report. */
struct report_tail {
    guint64 records_seen; /* <record> elements, the skipped ones included */
    gboolean incomplete;  /* the text broke off: records up to there are good */
    guint n_warnings;
    const struct report_warning *warnings;
};

/* begin, then record for each record in document order, then end. After begin, a report that cannot be
 * finished gets abandon instead of end, and nothing of it may be kept. Each call returns TRUE, or FALSE with
 * an error that the parser hands on unchanged (the sink's fault, not the report's). */
struct report_sink {
    gboolean (*begin)(void *self, const struct report_head *head, GError **error);
    gboolean (*record)(void *self, const struct report_record *record, GError **error);
    gboolean (*end)(void *self, const struct report_tail *tail, GError **error);
    void (*abandon)(void *self);
    void *self;
};
