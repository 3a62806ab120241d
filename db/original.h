/* The original bytes of mails, packed, in table dmarc_store.original: what writes and reads its column
 * `data`, a zlib stream (RFC 1950), which checks itself. ISA-L packs it, in a third of zlib's time and
 * as small; zlib unpacks it.
 *
 * Memory is bounded: by the limit while packing, by a slice while reading. */
#pragma once

#include "db/conn.h"

/* The bytes of a mail, at any place of it: up to n from offset into buf; 0 at the end, -1 with an error. */
struct mail_bytes {
    gssize (*read)(const void *self, guint64 offset, void *buf, gsize n, GError **error);
    const void *self;
};

struct packer;
struct packer *packer_new(void);
void packer_free(struct packer *packer);
/* Appends the packed bytes to `out`. *large_r: they are more than `most`, and `out` is as it was. */
gboolean packer_pack(struct packer *packer, const struct mail_bytes *bytes, guint64 most, GByteArray *out,
                     gboolean *large_r, GError **error);

/* Gets the unpacked bytes piece by piece; FALSE with an error to stop. */
typedef gboolean (*original_sink)(gpointer self, const void *data, gsize n, GError **error);

/* The original of the mail with this SHA-256, in hexadecimal. *found_r: FALSE when it is not kept.
 * WS_ERROR_DATA when what is stored is damaged, else the errors of the database and of the sink. */
gboolean original_read(struct db *db, const char *sha256, original_sink sink, gpointer self,
                       gboolean *found_r, GError **error);
