#include "parser/sha256.h"

#include <nettle/base16.h>
#include <nettle/sha2.h>

struct sha256 {
    struct sha256_ctx state;
};

struct sha256 *sha256_new(void)
{
    struct sha256 *sum = g_new(struct sha256, 1);
    sha256_reset(sum);
    return sum;
}

void sha256_free(struct sha256 *sum)
{
    g_free(sum);
}

void sha256_add(struct sha256 *sum, const void *data, gsize n)
{
    sha256_update(&sum->state, n, data);
}

void sha256_take(struct sha256 *sum, guint8 *digest)
{
    sha256_digest(&sum->state, SHA256_BYTES, digest);
}

void sha256_reset(struct sha256 *sum)
{
    sha256_init(&sum->state);
}

void sha256_hex(const guint8 *digest, char *hex)
{
    base16_encode_update(hex, SHA256_BYTES, digest);
    hex[SHA256_HEX - 1] = '\0';
}
