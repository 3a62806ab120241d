/* What the fuzz harnesses share. A harness is one function over the bytes of one input; libFuzzer calls it,
 * and so does replay.c over files. How an input is fed (limits, sizes of pieces) follows from its length
 * alone, so that a file is all that is needed to see a finding again. */
#pragma once

#include "parser/aggregate.h"
#include "parser/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

#define MUST(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: this does not hold: %s\n", __FILE__, __LINE__, #condition);              \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* Two ways through the same bytes have to end the same. */
static inline void must_be_same(const char *first, const char *second)
{
    if (strcmp(first, second) == 0)
        return;
    fprintf(stderr, "this does not hold: both are the same\n%s\n-- and --\n%s\n", first, second);
    abort();
}

/* Text for the ledger or a row: valid UTF-8 (NUL ends it anyway); NULL is fine. */
static inline void must_be_text(const char *text)
{
    MUST(text == NULL || g_utf8_validate(text, -1, NULL));
}

/* NULL, or one of the words between blanks. */
static inline void must_be_one_of(const char *word, const char *words)
{
    gsize n = word != NULL ? strlen(word) : 0;
    if (word == NULL)
        return;
    for (const char *at = strstr(words, word); at != NULL; at = strstr(at + 1, word))
        if (n > 0 && (at == words || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
            return;
    fprintf(stderr, "\"%s\" is none of: %s\n", word, words);
    abort();
}

/* What a GError that crosses a floor has to be. */
static inline void must_be_error(const GError *error)
{
    MUST(error != NULL && error->domain == WS_ERROR);
    must_be_text(error->message);
}

/* Hands out bytes in pieces; step 0: as much as fits. */
struct pieces {
    const guint8 *data;
    gsize left, step;
};

static inline gssize pieces_read(void *self, void *buf, gsize n, GError **error G_GNUC_UNUSED)
{
    struct pieces *pieces = self;
    gsize take = MIN(n, pieces->left);
    if (pieces->step > 0)
        take = MIN(take, pieces->step);
    if (take > 0)
        memcpy(buf, pieces->data, take);
    pieces->data += take;
    pieces->left -= take;
    return (gssize)take;
}

/* All limits so low that short inputs pass them. */
static inline struct limits low_limits(void)
{
    struct limits limits = limits_default;
    limits.message_size = 64 * 1024;
    limits.message_parts = 5;
    limits.message_depth = 3;
    limits.message_headers = 12;
    limits.header_line = 100;
    limits.attachment_size = 1500;
    limits.unpacked_size = 3000;
    limits.unpacked_total = 200 * 1024;
    limits.unpack_ratio = 5;
    limits.unpack_ratio_from = 600;
    limits.unpack_depth = 2;
    limits.unpack_members = 3;
    limits.xml_depth = 8;
    limits.xml_tag = 200;
    limits.xml_attributes = 3;
    limits.xml_unknown = 4;
    limits.xml_repair = 1000;
    limits.records = 3;
    limits.text_length = 40;
    limits.prose_length = 20;
    limits.auth_results = 2;
    limits.head_wait = 2;
    return limits;
}

/* The default limits, but no input may unpack to more than a few megabytes. */
static inline struct limits usual_limits(void)
{
    struct limits limits = limits_default;
    limits.unpacked_size = 2 * 1024 * 1024;
    limits.unpacked_total = 4 * 1024 * 1024;
    limits.unpack_ratio_from = 256 * 1024;
    return limits;
}
