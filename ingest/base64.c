#include "ingest/base64.h"

/* One more than the value, so that 0 is "not of the alphabet". */
static const guint8 values[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};

gboolean base64_is_character(guint8 c)
{
    return values[c] != 0;
}

gsize base64_finish(struct base64 *state, guint8 *out)
{
    gsize n = 0;
    if (state->n == 2) {
        out[n++] = (guint8)(state->bits >> 4);
    } else if (state->n == 3) {
        out[n++] = (guint8)(state->bits >> 10);
        out[n++] = (guint8)(state->bits >> 2);
    }
    state->n = 0;
    state->bits = 0;
    return n;
}

static gsize put(struct base64 *state, guint8 c, guint8 *out)
{
    if (c == '=')
        return base64_finish(state, out);
    guint8 value = values[c];
    if (!value)
        return 0;
    state->bits = state->bits << 6 | (value - 1U);
    if (++state->n < 4)
        return 0;
    out[0] = (guint8)(state->bits >> 16);
    out[1] = (guint8)(state->bits >> 8);
    out[2] = (guint8)state->bits;
    state->n = 0;
    state->bits = 0;
    return 3;
}

gsize base64_decode(struct base64 *state, const guint8 *in, gsize n, guint8 *out)
{
    guint8 *start = out;
    for (gsize i = 0; i < n;) {
        /* Four good characters at once, which is nearly always. */
        while (state->n == 0 && n - i >= 4) {
            guint32 a = values[in[i]], b = values[in[i + 1]], c = values[in[i + 2]], d = values[in[i + 3]];
            if (!a || !b || !c || !d)
                break;
            guint32 bits = (a - 1) << 18 | (b - 1) << 12 | (c - 1) << 6 | (d - 1);
            out[0] = (guint8)(bits >> 16);
            out[1] = (guint8)(bits >> 8);
            out[2] = (guint8)bits;
            out += 3;
            i += 4;
        }
        if (i < n)
            out += put(state, in[i++], out);
    }
    return (gsize)(out - start);
}
