#include "parser/sha256.h"

#include <openssl/evp.h>

struct sha256 {
    EVP_MD *kind;
    EVP_MD_CTX *state;
};

/* Only lack of memory or a broken installation can make these fail, and nothing is right without them. */
static void must(int ok)
{
    if (!ok)
        g_error("cannot compute SHA-256 with libcrypto");
}

struct sha256 *sha256_new(void)
{
    struct sha256 *sum = g_new0(struct sha256, 1);
    sum->kind = EVP_MD_fetch(NULL, "SHA256", NULL);
    sum->state = EVP_MD_CTX_new();
    must(sum->kind != NULL && sum->state != NULL);
    must(EVP_DigestInit_ex2(sum->state, sum->kind, NULL));
    return sum;
}

void sha256_free(struct sha256 *sum)
{
    if (!sum)
        return;
    EVP_MD_CTX_free(sum->state);
    EVP_MD_free(sum->kind);
    g_free(sum);
}

void sha256_add(struct sha256 *sum, const void *data, gsize n)
{
    must(EVP_DigestUpdate(sum->state, data, n));
}

void sha256_take(struct sha256 *sum, guint8 *digest)
{
    must(EVP_DigestFinal_ex(sum->state, digest, NULL));
    sha256_reset(sum);
}

void sha256_reset(struct sha256 *sum)
{
    must(EVP_DigestInit_ex2(sum->state, NULL, NULL));
}
