#include "db/first_records.h"

#include <string.h>

/* So many records are hashed at once, and then the hashes of all: the server makes no long texts. It stands
 * in the statement, too. */
#define BLOCK_RECORDS 1024
#define WINDOW_BYTES 65536

/* ---- stored ones ---- */

/* Address and text have their lengths in front, as they have in an array; -1 for none. */
static const char stored_sql[] =
    "SELECT encode(sha256(coalesce(string_agg(b.hash, ''::bytea ORDER BY b.block), ''::bytea)), 'hex') FROM"
    " (SELECT k.ordinal / 1024 AS block,"
    " sha256(string_agg(uuid_send(k.evidence) || int8send(k.message_count)"
    " || int4send(coalesce(length(k.ip), -1)) || coalesce(k.ip, ''::bytea)"
    " || int4send(coalesce(length(k.raw), -1)) || coalesce(k.raw, ''::bytea), ''::bytea ORDER BY k.ordinal))"
    " AS hash FROM"
    " (SELECT o.first_ordinal + r.place - 2 AS ordinal, o.evidence[r.evidence_at] AS evidence,"
    " r.message_count, inet_send(r.source_ip) AS ip, convert_to(r.source_raw, 'UTF8') AS raw"
    " FROM dmarc_store.observed o CROSS JOIN LATERAL"
    " (SELECT unnest(dmarc_store.places(cardinality(o.source_ips))) AS place,"
    " unnest(o.source_ips) AS source_ip,"
    " unnest(dmarc_store.counts(o.message_counts, o.great_counts)) AS message_count,"
    " unnest(o.evidence_at) AS evidence_at, unnest(o.sources_raw) AS source_raw) r"
    " WHERE o.domain = $1 AND o.day = $2::date AND o.report = $3::bigint AND o.first_ordinal <= $4::bigint)"
    " k WHERE k.ordinal < $4::bigint GROUP BY 1) b";

gboolean first_records_stored(struct db *db, const char *const place[3], guint64 n, char hex_r[SHA256_HEX],
                              GError **error)
{
    char number[24];
    const char *const values[] = {place[0], place[1], place[2], number};
    g_snprintf(number, sizeof number, "%" G_GUINT64_FORMAT, n);
    struct db_result *result = db_query(db, "hashing the records of a report", stored_sql, 4, values, error);
    if (result)
        g_strlcpy(hex_r, db_value(result, 0, 0), SHA256_HEX);
    db_result_free(result);
    return result != NULL;
}

/* ---- waiting ones ---- */

/* Where the arrays stand in a row of COPY BINARY, and what stands in front of the elements of one. */
enum { FIELD_EVIDENCE = 4, FIELD_AT, FIELD_COUNTS, FIELD_ADDRESSES, FIELD_RAWS, FIELD_GREAT, FIELDS };
enum { ARRAY_HEAD = 20, ARRAY_LENGTH = 12 };

struct walk {
    const struct row_spool *spool;
    guint64 at, end;
    guint8 window[WINDOW_BYTES];
    gsize used, have;
    GByteArray *row;
    const guint8 *field[FIELDS]; /* behind its length; NULL for a NULL */
};

static gboolean take(struct walk *walk, void *out, gsize n, GError **error)
{
    for (gsize done = 0; done < n;) {
        if (walk->used == walk->have) {
            gsize most = (gsize)MIN(walk->end - walk->at, sizeof walk->window);
            gssize got = row_spool_read(walk->spool, walk->at, walk->window, most, error);
            if (got <= 0)
                return FALSE;
            walk->at += (guint64)got;
            walk->have = (gsize)got;
            walk->used = 0;
        }
        gsize piece = MIN(n - done, walk->have - walk->used);
        memcpy((guint8 *)out + done, walk->window + walk->used, piece);
        walk->used += piece;
        done += piece;
    }
    return TRUE;
}

static guint32 get32(const guint8 *bytes)
{
    guint32 value;
    memcpy(&value, bytes, sizeof value);
    return GUINT32_FROM_BE(value);
}

/* Behind the element at `at`. */
static const guint8 *next_element(const guint8 *at)
{
    guint32 length = get32(at);
    return at + 4 + (length == G_MAXUINT32 ? 0 : length);
}

static gboolean take_row(struct walk *walk, GError **error)
{
    guint at[FIELDS];
    guint8 head[4];
    g_byte_array_set_size(walk->row, 0);
    if (!take(walk, head, 2, error))
        return FALSE;
    for (guint i = 0; i < FIELDS; i++) {
        if (!take(walk, head, sizeof head, error))
            return FALSE;
        guint32 length = get32(head);
        at[i] = length == G_MAXUINT32 ? G_MAXUINT : walk->row->len;
        if (at[i] == G_MAXUINT)
            continue;
        g_byte_array_set_size(walk->row, walk->row->len + length);
        if (!take(walk, walk->row->data + at[i], length, error))
            return FALSE;
    }
    for (guint i = 0; i < FIELDS; i++)
        walk->field[i] = at[i] == G_MAXUINT ? NULL : walk->row->data + at[i];
    return TRUE;
}

struct sums {
    struct sha256 *block, *all;
    guint64 n; /* records */
};

static void end_block(struct sums *sums)
{
    guint8 hash[SHA256_BYTES];
    sha256_take(sums->block, hash);
    sha256_add(sums->all, hash, sizeof hash);
}

/* The records of a row as the statement has them, at most as many as make n. */
static void add_row(struct sums *sums, const struct walk *walk, guint64 n)
{
    static const guint8 none[4] = {0xff, 0xff, 0xff, 0xff}, zeros[8] = {0};
    const guint8 *evidence = walk->field[FIELD_EVIDENCE] + ARRAY_HEAD,
                 *at = walk->field[FIELD_AT] + ARRAY_HEAD,
                 *count = walk->field[walk->field[FIELD_GREAT] ? FIELD_GREAT : FIELD_COUNTS] + ARRAY_HEAD,
                 *address = walk->field[FIELD_ADDRESSES] + ARRAY_HEAD,
                 *raw = walk->field[FIELD_RAWS] ? walk->field[FIELD_RAWS] + ARRAY_HEAD : NULL;
    guint32 records = get32(walk->field[FIELD_AT] + ARRAY_LENGTH);
    for (guint32 i = 0; i < records && sums->n < n; i++) {
        guint place = (guint)at[4] << 8 | at[5];
        const guint8 *address_end = next_element(address), *raw_end = raw ? next_element(raw) : NULL;
        sha256_add(sums->block, evidence + (gsize)(place - 1) * 20 + 4, 16);
        sha256_add(sums->block, zeros, sizeof zeros - get32(count));
        sha256_add(sums->block, count + 4, get32(count));
        sha256_add(sums->block, address, (gsize)(address_end - address));
        sha256_add(sums->block, raw ? raw : none, raw ? (gsize)(raw_end - raw) : sizeof none);
        at = next_element(at);
        count = next_element(count);
        address = address_end;
        raw = raw_end;
        if (++sums->n % BLOCK_RECORDS == 0)
            end_block(sums);
    }
}

gboolean first_records_waiting(const struct row_spool *spool, struct spool_span records, guint64 n,
                               char hex_r[SHA256_HEX], GError **error)
{
    struct sums sums = {.block = sha256_new(), .all = sha256_new()};
    g_autofree struct walk *walk = g_new0(struct walk, 1);
    guint8 hash[SHA256_BYTES];
    gboolean ok = TRUE;
    walk->spool = spool;
    walk->at = records.begin;
    walk->end = records.end;
    walk->row = g_byte_array_new();
    while (ok && sums.n < n && (walk->at < walk->end || walk->used < walk->have)) {
        ok = take_row(walk, error);
        if (ok)
            add_row(&sums, walk, n);
    }
    if (sums.n % BLOCK_RECORDS)
        end_block(&sums);
    sha256_take(sums.all, hash);
    sha256_hex(hash, hex_r);
    g_byte_array_unref(walk->row);
    sha256_free(sums.block);
    sha256_free(sums.all);
    return ok;
}
