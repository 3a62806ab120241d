#include "db/pack.h"

#include "db/pgcopy.h"

#include <string.h>
#include <sys/socket.h>

#define RECORDS_MOST 64   /* what dmarc_store.places() reaches to */
#define BYTES_MOST 1600   /* as the server stores them, without what each row has */
#define EVIDENCE_BYTES 16 /* a uuid */

struct pack {
    guint64 first;
    guint32 number; /* of the pack, so that evidence knows whether it is in it */
    guint bytes, n, n_evidence, n_raw, n_addresses;
    gboolean great; /* one of the counts is larger than an int */
    gint64 counts[RECORDS_MOST];
    GByteArray *evidence, *evidence_at, *addresses, *raws, *put;
};

struct pack *pack_new(void)
{
    struct pack *pack = g_new0(struct pack, 1);
    GByteArray **const parts[] = {&pack->evidence, &pack->evidence_at, &pack->addresses, &pack->raws,
                                  &pack->put};
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
        *parts[i] = g_byte_array_new();
    return pack;
}

void pack_free(struct pack *pack)
{
    if (!pack)
        return;
    GByteArray *const parts[] = {pack->evidence, pack->evidence_at, pack->addresses, pack->raws, pack->put};
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
        g_byte_array_unref(parts[i]);
    g_free(pack);
}

void pack_clear(struct pack *pack, guint64 first)
{
    GByteArray *const parts[] = {pack->evidence, pack->evidence_at, pack->addresses, pack->raws, pack->put};
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
        g_byte_array_set_size(parts[i], 0);
    pack->first = first;
    pack->number++;
    pack->great = FALSE;
    pack->bytes = pack->n = pack->n_evidence = pack->n_raw = pack->n_addresses = 0;
}

gboolean pack_is_empty(const struct pack *pack)
{
    return !pack->n;
}

/* An element of an array of inet, an int, and a smallint. */
static guint bytes_of(const struct report_record *record)
{
    return (record->family == AF_INET6 ? 24u : 12u) + 4 + 2 +
           (record->source_raw ? (guint)strlen(record->source_raw) + 8 : 0);
}

gboolean pack_is_full(const struct pack *pack, const struct report_record *record)
{
    return pack->n == RECORDS_MOST ||
           (pack->n && pack->bytes + bytes_of(record) + EVIDENCE_BYTES > BYTES_MOST);
}

void pack_add(struct pack *pack, const struct report_record *record, struct tally_evidence *evidence)
{
    if (evidence->pack != pack->number) {
        pgcopy_uuid(pack->evidence, evidence->hash);
        evidence->pack = pack->number;
        evidence->place = (guint16)++pack->n_evidence;
        pack->bytes += EVIDENCE_BYTES;
    }
    pgcopy_int2(pack->evidence_at, (gint16)evidence->place);
    pack->counts[pack->n] = record->message_count;
    pack->great = pack->great || record->message_count > G_MAXINT32;
    pgcopy_inet(pack->addresses, record->family, record->source_ip);
    pgcopy_text(pack->raws, record->source_raw);
    pack->n_addresses += record->family == AF_INET || record->family == AF_INET6;
    pack->n_raw += record->source_raw != NULL;
    pack->bytes += bytes_of(record);
    pack->n++;
}

/* Those that `great` rows have, or all others. */
static void put_counts(struct pack *pack, gboolean great, GByteArray *out)
{
    if (pack->great != great) {
        pgcopy_null(out);
        return;
    }
    g_byte_array_set_size(pack->put, 0);
    for (guint i = 0; i < pack->n; i++)
        if (great)
            pgcopy_int8(pack->put, pack->counts[i]);
        else
            pgcopy_int4(pack->put, (gint32)pack->counts[i]);
    pgcopy_array(out, great ? PGCOPY_INT8 : PGCOPY_INT4, pack->n, FALSE, pack->put);
}

void pack_put(struct pack *pack, GByteArray *out)
{
    pgcopy_int4(out, (gint32)MIN(pack->first, G_MAXINT32 - RECORDS_MOST));
    pgcopy_array(out, PGCOPY_UUID, pack->n_evidence, FALSE, pack->evidence);
    pgcopy_array(out, PGCOPY_INT2, pack->n, FALSE, pack->evidence_at);
    put_counts(pack, FALSE, out);
    pgcopy_array(out, PGCOPY_INET, pack->n, pack->n_addresses < pack->n, pack->addresses);
    if (pack->n_raw)
        pgcopy_array(out, PGCOPY_TEXT, pack->n, pack->n_raw < pack->n, pack->raws);
    else
        pgcopy_null(out);
    put_counts(pack, TRUE, out);
}
