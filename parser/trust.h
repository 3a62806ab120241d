/* Who brought a report: what one's own mail server says about the carrying mail, and whether that fits the
 * reporter that the report names.
 *
 * Believes only the topmost Authentication-Results field of a configured authserv-id (RFC 8601 section 5 has
 * the server take away fields of its name that come from outside). Whatever is unclear is no pass: a field
 * that cannot be read, several verdicts that differ, a verdict about another domain than the one in From:. */
#pragma once

#include "parser/domain.h"

struct trust_rules {
    char **authserv_ids; /* of one's own servers; NULL: none */
    char **domains;      /* ours, normalised; NULL: not given */
};

enum auth_result {
    AUTH_UNKNOWN, /* no field that is believed */
    AUTH_PASS,
    AUTH_FAIL,
    AUTH_NONE, /* neither */
};
/* "pass", "fail", "none"; NULL for unknown. By enum auth_result. */
extern const char *const auth_words[4];

struct mail_auth {
    enum auth_result result;
    char *domain; /* that passed, normalised; NULL unless AUTH_PASS. Owned */
};

/* From the bodies of a mail's Authentication-Results fields, the topmost first (may be NULL), and the domain
 * of its From: (may be NULL). DMARC's verdict counts (dmarc=pass, header.from); where it is neither pass nor
 * fail, or missing, a DKIM signature that passed and is aligned with From: does, or else such an SPF MAIL
 * FROM (RFC 7489 section 3.1, relaxed). mail_auth_clear afterwards. */
void mail_auth_read(struct mail_auth *auth_r, char *const *fields, const char *from_domain,
                    const struct trust_rules *rules, const struct domain_list *suffixes);
void mail_auth_clear(struct mail_auth *auth);

enum trust {
    TRUST_NO, /* it came in the reporter's name from elsewhere: reporter_mismatch */
    TRUST_UNKNOWN,
    TRUST_YES,
};

/* Whether the mail is from the reporter of a report (struct report_head): the same organizational domain, or
 * a house that is known to have two. */
enum trust trust_of(const struct mail_auth *auth, const char *reporter, const struct domain_list *suffixes);
/* Whether a policy domain is none of ours and not below one: foreign_domain. FALSE when ours are not given.
 */
gboolean trust_is_foreign(const struct trust_rules *rules, const char *domain);
