/* The bytes of one document on their way to the XML parser, as UTF-8.
 *
 * Takes off byte order marks, white space and control characters before the document, and translates UTF-16,
 * Latin-1, windows-1252 and whatever iconv knows, so that the parser sees one encoding only and the declared
 * one is never believed against the bytes. Keeps what it gave out for as long as the document stays below
 * limits->xml_repair, so that a broken document can be read a second time; beyond that only the last bytes.
 * Refuses a document that takes longer than limits->report_seconds. Offsets count bytes of the translated
 * text. */
#pragma once

#include "parser/aggregate.h"

struct feed;
/* Turns raw bytes into UTF-8; `last`: no more will come. */
typedef gboolean (*feed_translation)(struct feed *feed, gboolean last);

struct feed {
    struct byte_reader source;
    const struct limits *limits;
    GError *error;        /* of the source, or the time limit; sticky */
    gboolean late;        /* the error is the time limit */
    gboolean lead;        /* white space or the like stood before the XML declaration */
    gboolean bad_charset; /* the declared encoding is unknown or false, or bytes are not in it */
    /* private */
    guint8 *data;
    gsize length, room;
    guint64 base;  /* offset of data[0] */
    guint64 mark;  /* what lies behind it is wanted for a second reading */
    guint64 given; /* offset of the next byte that feed_read hands out */
    gboolean ended;
    guint8 *raw; /* as read, not yet translated */
    gsize raw_length;
    feed_translation translate;
    gpointer iconv;
    gunichar high[128]; /* what bytes from 0x80 on are, in an encoding of one byte a character */
    gint64 deadline;
};

/* One feed serves one document after the other: start, read, forget. Lends the limits. */
void feed_init(struct feed *feed, const struct limits *limits);
void feed_start(struct feed *feed, struct byte_reader source);
/* Nothing of the document stays, but for some memory. */
void feed_forget(struct feed *feed);
void feed_clear(struct feed *feed);

/* Up to n bytes from the current place; 0 at the end, -1 with feed->error. */
gssize feed_read(struct feed *feed, void *buf, gsize n);

/* The byte at an offset that is not older than the window, or -1 at the end or after an error. */
int feed_at(struct feed *feed, guint64 offset);

/* Goes to an offset and keeps what lies behind it for a second reading. FALSE when that is gone already. */
gboolean feed_go(struct feed *feed, guint64 offset);

/* Everything from an offset to the end of the document, read to the end; lent until the next call. FALSE when
 * it is longer than limits->xml_repair or gone already, or when reading failed. */
gboolean feed_rest(struct feed *feed, guint64 offset, const guint8 **data_r, gsize *length_r);

/* TRUE when the source has ended and no '<' comes after `offset`: the text breaks off there. */
gboolean feed_breaks_off(struct feed *feed, guint64 offset);

/* The offset of the end, once it was reached. */
guint64 feed_end(const struct feed *feed);

/* What a byte that is not UTF-8 most likely means: windows-1252; U+FFFD for its five holes. */
gunichar feed_windows_1252(guint8 byte);
