/* Tags that are too long are found wherever the pieces part, and nothing else is taken for one. */
#include "parser/tag_guard.h"

#include "tests/unit/unit.h"

#include <string.h>

enum { LIMIT = 8 };

/* The rule, a byte at a time and without any short cut: the length of a tag counts what stands behind its
 * '<'. */
struct model {
    enum tag_place place;
    guint64 length;
    GString *tag;
};

static gboolean model_byte(struct model *model, char c)
{
    switch (model->place) {
    case TAG_TEXT:
        if (c == '<') {
            model->place = TAG_INSIDE;
            model->length = 0;
            g_string_truncate(model->tag, 0);
        }
        return TRUE;
    case TAG_COMMENT:
    case TAG_CDATA:
    case TAG_PI:
        g_string_append_c(model->tag, c);
        if (g_str_has_suffix(model->tag->str, model->place == TAG_COMMENT ? "-->"
                                              : model->place == TAG_CDATA ? "]]>"
                                                                          : "?>"))
            model->place = TAG_TEXT;
        return TRUE;
    default:
        break;
    }
    if (model->place == TAG_QUOTED) {
        model->place = c == model->tag->str[0] ? TAG_INSIDE : TAG_QUOTED;
    } else if (c == '>') {
        model->place = TAG_TEXT;
    } else if (c == '"' || c == '\'') {
        model->place = TAG_QUOTED;
        g_string_assign(model->tag, "");
        g_string_append_c(model->tag, c);
    }
    return ++model->length <= LIMIT;
}

/* Comments and the like begin with what the model is told ahead, because it looks at one byte only. */
static gboolean model_pass(const char *text)
{
    struct model model = {.tag = g_string_new(NULL)};
    gboolean ok = TRUE;
    for (const char *c = text; ok && *c != '\0'; c++) {
        if (model.place == TAG_TEXT && g_str_has_prefix(c, "<!--")) {
            model.place = TAG_COMMENT;
            g_string_truncate(model.tag, 0);
            c += 3;
        } else if (model.place == TAG_TEXT && g_str_has_prefix(c, "<![CDATA[")) {
            model.place = TAG_CDATA;
            g_string_truncate(model.tag, 0);
            c += 8;
        } else if (model.place == TAG_TEXT && g_str_has_prefix(c, "<?")) {
            model.place = TAG_PI;
            g_string_truncate(model.tag, 0);
            c += 1;
        } else {
            ok = model_byte(&model, *c);
        }
    }
    g_string_free(model.tag, TRUE);
    return ok;
}

static gboolean guard_pass(const char *text, gsize piece)
{
    struct tag_guard guard = {.limit = LIMIT};
    gsize n = strlen(text);
    for (gsize at = 0; at < n; at += piece)
        if (!tag_guard_pass(&guard, text + at, MIN(piece, n - at)))
            return FALSE;
    return TRUE;
}

static void test_vectors(void)
{
    static const struct {
        const char *text;
        gboolean passes;
    } vectors[] = {
        {"<record><row>text that is longer than a tag may be</row></record>", TRUE},
        {"<a2345678>", FALSE},
        {"<a234567>", TRUE},
        {"text<a23456789", FALSE},
        {"<a b='>>>>>>>>'>", FALSE},
        {"<a b=\">\">", TRUE},
        {"<!-- a comment of any length > and < -->", TRUE},
        {"<![CDATA[ <abcdefghijklmnop> ]]>", TRUE},
        {"<?pi abcdefghijklmnop?><a>", TRUE},
        {"<!-- --><abcdefghijk>", FALSE},
        {"it's text's apostrophes > that are harmless", TRUE},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_assert_cmpint(model_pass(vectors[i].text), ==, vectors[i].passes);
        for (gsize piece = 1; piece <= 9; piece++)
            g_assert_cmpint(guard_pass(vectors[i].text, piece), ==, vectors[i].passes);
    }
}

static void test_random(void)
{
    static const char *const bits[] = {"<", ">",    "\"",  "'",  "a",  "bcdefgh",   "<a>", "</a>",
                                       " ", "<!--", "-->", "<?", "?>", "<![CDATA[", "]]>"};
    guint refused = 0;
    for (guint round = 0; round < 20000; round++) {
        g_autoptr(GString) text = g_string_new(NULL);
        guint n = (guint)g_test_rand_int_range(1, 14);
        for (guint i = 0; i < n; i++)
            g_string_append(text, bits[g_test_rand_int_range(0, (gint32)G_N_ELEMENTS(bits))]);
        /* Markup that is cut off or no markup after all is for the parser. */
        if (strstr(text->str, "<!--") || strstr(text->str, "<![") || strstr(text->str, "<?"))
            continue;
        gboolean expected = model_pass(text->str);
        refused += !expected;
        for (gsize piece = 1; piece <= 8; piece++)
            if (guard_pass(text->str, piece) != expected) {
                g_test_message("%s in pieces of %zu", text->str, (size_t)piece);
                g_test_fail();
                return;
            }
    }
    g_assert_cmpuint(refused, >, 50);
}

int main(int argc G_GNUC_UNUSED, char **argv)
{
    unit_init(argv[0]);
    g_test_add_func("/tag-guard/vectors", test_vectors);
    g_test_add_func("/tag-guard/random", test_random);
    return g_test_run();
}
