/* What makes two reports the same, as hashes.
 *
 * The bytes that are hashed are a contract: were they to change, a report that comes again after an upgrade
 * would not be known any more and be counted twice. So they are a serialisation of their own (a number is a
 * varint; a text is a varint of its length plus one, then the bytes; NULL is 0), they follow the parsed
 * values and not the XML, and the report's content holds only what the reporter said: nothing that we
 * computed from it. */
#pragma once

#include "parser/failure.h"
#include "parser/report.h"
#include "parser/tls.h"

#define DIGEST_BYTES 16 /* the first half of a SHA-256 */

struct digest;
struct digest *digest_new(void);
void digest_free(struct digest *digest);

/* Starts a report: *identity gets the hash of reporter, report_id, domain, begin and end. */
void digest_begin(struct digest *digest, const struct report_head *head, guint8 *identity);
/* The next record: *evidence gets the hash of the domain and of all that is kept of it except address and
 * count. */
void digest_record(struct digest *digest, const struct report_record *record, guint8 *evidence);
/* The hash of the head and all records since digest_begin, in their order. */
void digest_end(struct digest *digest, guint8 *content);

/* A failure report. *identity gets the hash of reporter, domain, arrival, source address and the ids of the
 * message; *content that of all, with the whole subject and recipient, whatever of them is stored. */
void digest_failure(struct digest *digest, const struct failure_report *report, guint8 *identity,
                    guint8 *content);

/* A TLS report: begin, as digest_begin; policy, and failure for its details; then digest_end. */
void digest_tls_begin(struct digest *digest, const struct tls_head *head, guint8 *identity);
void digest_tls_policy(struct digest *digest, const struct tls_policy *policy);
void digest_tls_failure(struct digest *digest, const struct tls_failure *failure);

/* What a report of a batch is known by. */
struct report_key {
    guint8 hashes[2 * DIGEST_BYTES]; /* identity, content */
    guint mail;                      /* the same for those of one mail, and of no other in the batch */
};

/* For a GHashTable whose keys begin with such a hash, or with two of them, identity and content, or are those
 * of reports, of which identity and mail are compared. */
guint digest_hash(gconstpointer key);
gboolean digest_equal(gconstpointer a, gconstpointer b);
gboolean digest_equal_pair(gconstpointer a, gconstpointer b);
gboolean digest_equal_in_mail(gconstpointer a, gconstpointer b);

/* A set of such hashes that forgets everything when it holds 262,144 (8 MiB): it saves work, and decides
 * nothing. */
struct digest_set;
struct digest_set *digest_set_new(void);
void digest_set_free(struct digest_set *set);
void digest_set_clear(struct digest_set *set);
/* FALSE when it was there. */
gboolean digest_set_add(struct digest_set *set, const guint8 *hash);
