/* Records of a report on their way into a row of dmarc_store.observed: up to 64, or as many as leave the row
 * below 2 kB. Internal to the writer. */
#pragma once

#include "db/tally.h"
#include "parser/report.h"

struct pack;
struct pack *pack_new(void);
void pack_free(struct pack *pack);
/* Forgets what is in it; the next record has this place in its report, from 1. */
void pack_clear(struct pack *pack, guint64 first);

gboolean pack_is_empty(const struct pack *pack);
/* Whether the record belongs in the next one. */
gboolean pack_is_full(const struct pack *pack, const struct report_record *record);
void pack_add(struct pack *pack, const struct report_record *record, struct tally_evidence *evidence);

/* The last seven columns of the row: first_ordinal, evidence, evidence_at, message_counts, source_ips,
 * sources_raw, great_counts. */
void pack_put(struct pack *pack, GByteArray *out);
