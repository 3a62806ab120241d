/* How a struct becomes the bytes of a frame and back: one table for each struct drives writing, reading and
 * checking, so that no member can be forgotten in one of them. Internal to the wire. */
#pragma once

#include "parser/arena.h"
#include "parser/limits.h"

enum field_kind {
    FIELD_BOOL,
    FIELD_INT,     /* int, unsigned or enum; least .. most */
    FIELD_LONG,    /* gint64, or guint64 up to G_MAXINT64; least .. most */
    FIELD_TEXT,    /* const char * */
    FIELD_BYTES,   /* const char * that may be no UTF-8 */
    FIELD_LOWER,   /* text without upper case: a selector as the parser keeps it */
    FIELD_NAME,    /* the same, and without '@': a domain */
    FIELD_DOMAIN,  /* a normalised domain */
    FIELD_WORD,    /* one of `words` */
    FIELD_CODE,    /* one of parser/codes.h */
    FIELD_SUM,     /* const guint8 *, 32 bytes, or NULL */
    FIELD_ADDRESS, /* int family and, right behind it, guint8[16] */
    FIELD_LIST,    /* raw_words: never NULL when it was read */
    FIELD_WORDS,   /* raw_words of `words` */
    FIELD_CODES,   /* raw_words of parser/codes.h, or NULL */
    FIELD_ROWS,    /* array of `rows`, whose number is the guint at `count` */
    FIELD_TEXTS,   /* array of texts of which each may be NULL, likewise */
    FIELD_NAMES,   /* array of domains, likewise */
    FIELD_STRUCT,  /* of `rows` */
    FIELD_RAW,     /* bytes as they are */
};

/* What bounds a text or a number of elements. */
enum field_bound {
    BOUND_NONE,
    BOUND_TEXT,       /* limits->text_length */
    BOUND_PROSE,      /* limits->prose_length */
    BOUND_HINT,       /* may come from the mail or a file name, or have been made longer by normalising */
    BOUND_LOWERED,    /* lower case of a text, which may be longer */
    BOUND_RAW,        /* "element=text" */
    BOUND_EXTENSIONS, /* of a report */
    BOUND_WARNING,    /* detail of a warning */
    BOUND_PATH,       /* the ledger's: cut when it is written */
    BOUND_DETAIL,     /* likewise */
    BOUND_RESULTS,    /* limits->auth_results */
    BOUND_RAW_LIST,   /* raw words of a record */
    BOUND_CODES,      /* each at most once */
    BOUND_FEW,        /* 100 */
    BOUND_LAST
};

enum {
    FIELD_REQUIRED = 1, /* not NULL */
    FIELD_FILLED = 2,   /* not "" */
    FIELD_SHARED = 4,   /* an array whose number was read with the one before */
};

struct wire_table;

struct wire_field {
    const char *name;
    guint16 offset, size, count;
    guint8 kind, bound, flags;
    guint8 list; /* bound of the number of elements of a list */
    gint64 least, most;
    const char *const *words; /* ended by NULL */
    const struct wire_table *rows;
};

struct wire_table {
    const char *name;
    gsize size;
    const struct wire_field *fields;
    guint n;
};

/* ---- writing ---- */

struct wire_out {
    guint8 *data;
    gsize length, room;
    const char *table, *field, *bad; /* why the last struct could not be written; bad is NULL when it could */
};
void wire_out_clear(struct wire_out *out);
/* Room for n more bytes, which are counted in. */
guint8 *wire_out_add(struct wire_out *out, gsize n);
/* Appends a struct. FALSE when it holds a word or code that nobody knows. */
gboolean wire_put(struct wire_out *out, const struct wire_table *table, const void *object);

/* ---- reading ---- */

struct wire_in {
    const guint8 *at, *end;
    struct arena *arena; /* for arrays; texts point into the bytes */
    const gsize *bounds;
    const char *table, *field, *bad; /* what is wrong */
};
/* By enum field_bound. */
void wire_bounds(const struct limits *limits, gsize bounds_r[BOUND_LAST]);
/* Fills a struct, which lives as long as the bytes and the arena. FALSE when they lie. */
gboolean wire_get(struct wire_in *in, const struct wire_table *table, void *object);

/* ---- frames ---- */

struct wire_head {
    guint32 length; /* of what follows */
    guint32 kind;
};
/* Puts the room for a head; wire_frame_end fills it in. */
gsize wire_frame_begin(struct wire_out *out);
void wire_frame_end(struct wire_out *out, gsize begin, guint32 kind);
