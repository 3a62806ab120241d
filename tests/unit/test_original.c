/* What is packed comes back byte by byte, whatever it is and wherever its pieces end; past the limit nothing
 * is left. */
#include "db/original.h"
#include "tests/unit/unit.h"

#include <string.h>
#include <zlib.h>

#define MOST (300 * 1000)

struct text {
    guint8 bytes[MOST];
    gsize size, at_once; /* of one read */
};

static gssize read_text(const void *self, guint64 offset, void *buf, gsize n, GError **error G_GNUC_UNUSED)
{
    const struct text *text = self;
    gsize got = MIN(MIN(n, text->at_once), text->size - offset);
    memcpy(buf, text->bytes + offset, got);
    return (gssize)got;
}

static void pack(struct packer *packer, const struct text *text)
{
    static guint8 back[MOST];
    const struct mail_bytes bytes = {read_text, text};
    g_autoptr(GByteArray) out = g_byte_array_new();
    gboolean large;
    g_byte_array_append(out, (const guint8 *)"before", 6);
    g_assert_true(packer_pack(packer, &bytes, 2 * MOST, out, &large, NULL) && !large);
    guint packed = out->len - 6;
    uLongf size = MOST;
    g_assert_cmpint(uncompress(back, &size, out->data + 6, packed), ==, Z_OK);
    g_assert_true(size == text->size && memcmp(back, text->bytes, size) == 0);

    g_byte_array_set_size(out, 6);
    g_assert_true(packer_pack(packer, &bytes, packed, out, &large, NULL) && !large);
    g_assert_cmpuint(out->len, ==, 6 + packed);
    for (guint most = packed / 2; most < packed; most += MAX(packed - 1 - most, 1)) {
        g_byte_array_set_size(out, 6);
        g_assert_true(packer_pack(packer, &bytes, most, out, &large, NULL) && large);
        g_assert_true(out->len == 6 && memcmp(out->data, "before", 6) == 0);
    }
}

static void fill(struct text *text, guint kind)
{
    for (gsize i = 0; i < text->size; i++) {
        guint32 random = g_test_rand_int() >> 8 & 0xff;
        text->bytes[i] = (guint8)(kind == 0 ? 'a' : kind == 1 ? 'A' + random % 64 : random);
    }
}

static void test_pack(void)
{
    static const gsize sizes[] = {0, 1, 2, 100, 4000, 32767, 32768, 65535, 65536, 65537, 131072, MOST};
    static const gsize pieces[] = {MOST, 4096, 999};
    struct packer *packer = packer_new();
    struct text *text = g_new0(struct text, 1);
    for (guint kind = 0; kind < 3; kind++)
        for (guint s = 0; s < G_N_ELEMENTS(sizes); s++)
            for (guint p = 0; p < G_N_ELEMENTS(pieces); p++) {
                text->size = sizes[s];
                text->at_once = pieces[p];
                fill(text, kind);
                pack(packer, text);
            }
    g_free(text);
    packer_free(packer);
}

int main(int argc, char **argv)
{
    g_assert_cmpint(argc, >, 0);
    unit_init(argv[0]);
    g_test_add_func("/original/pack", test_pack);
    return g_test_run();
}
