/* SHA-256 (FIPS 180-4) by nettle, which uses what the processor has for it: every byte of every mail and
 * document goes through here. The only file that knows nettle, which is chosen for needing no preparation:
 * libcrypto's takes longer than reading a mail. */
#pragma once

#include <glib.h>

#define SHA256_BYTES 32

struct sha256;

struct sha256 *sha256_new(void);
void sha256_free(struct sha256 *sum);
void sha256_add(struct sha256 *sum, const void *data, gsize n);
/* The sum of what was added since the last take or reset, into digest[SHA256_BYTES]; the next sum begins. */
void sha256_take(struct sha256 *sum, guint8 *digest);
/* Forgets what was added. */
void sha256_reset(struct sha256 *sum);

#define SHA256_HEX (2 * SHA256_BYTES + 1)
/* A digest in lower-case digits, with its NUL, into hex[SHA256_HEX]. */
void sha256_hex(const guint8 *digest, char *hex);
