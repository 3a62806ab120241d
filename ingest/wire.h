/* A journal as bytes: what a worker process tells of its mails, on its way to the process that stores it.
 *
 * The answer to one mail is a run of frames (length, kind, fields), closed by one that ends the mail; answers
 * follow each other without anything in between. Bytes are in the order of the machine: both ends are the
 * same program. A report streams through in frames of one record each, so neither side holds it.
 *
 * An answer is believed as little as a stranger's mail: whoever broke the worker may have written it. Lengths
 * and counts are bounded by the limits, text is UTF-8 without NUL, words, codes, numbers, domains and
 * addresses are of those that exist, frames come only in an order that a journey can have, what a report
 * says of its own records adds up, and an alignment is believed only when the results of its record give it
 * (RFC 9989 section 4.4). Whatever else is told is a lie, and worth nothing of what was told before. */
#pragma once

#include "ingest/journal.h"
#include "parser/limits.h"

/* ---- telling ---- */

/* Sends all of it, or returns FALSE with an error. */
typedef gboolean (*wire_send)(gpointer data, const guint8 *bytes, gsize n, GError **error);

struct wire_writer;

/* Lends data. */
struct wire_writer *wire_writer_new(wire_send send, gpointer data);
void wire_writer_free(struct wire_writer *writer);
/* To be told one mail after the other. Sends when some 64 KiB have come together; an error of sending comes
 * out of this call of the journal or of the next one that can fail. */
const struct journal *wire_writer_journal(struct wire_writer *writer);
/* Ends a mail whose journey failed with an error that spoils more than the mail. */
void wire_writer_give_up(struct wire_writer *writer, const GError *reason);
/* Sends what waits. */
gboolean wire_writer_flush(struct wire_writer *writer, GError **error);

/* ---- hearing ---- */

enum wire_status {
    WIRE_MORE,     /* the answer goes on */
    WIRE_MAIL_END, /* it is whole, and its end was told to the journal */
    WIRE_GAVE_UP,  /* it is over: the worker could not look at the mail to its end, *error says why in words
                      (WS_ERROR_INPUT: its bytes could not be read, or WS_ERROR_SYSTEM) */
    WIRE_LIE,      /* *error says what was wrong (WS_ERROR_DATA) */
    WIRE_FAILED,   /* the journal failed: *error is its own */
};

struct wire_reader;

/* Lends the limits, which have to be those of the worker, and the list. */
struct wire_reader *wire_reader_new(const struct limits *limits, const struct domain_list *suffixes);
void wire_reader_free(struct wire_reader *reader);
/* The next answer is told to this journal, which is lent until it is over. What came of an answer before that
 * is not over is forgotten; the journal has to forget it, too. */
void wire_reader_begin(struct wire_reader *reader, const struct journal *journal);
/* The next bytes of the answer, in pieces of any size: each frame is told as soon as it is whole. Takes all,
 * or up to the end of the answer: *used_r bytes; the rest belongs to the next one. After anything but
 * WIRE_MORE begin again. */
enum wire_status wire_reader_feed(struct wire_reader *reader, const void *bytes, gsize n, gsize *used_r,
                                  GError **error);

/* Looks for the end of an answer without telling it: WIRE_MORE, WIRE_MAIL_END (also when the worker gave up)
 * or WIRE_LIE (a frame of impossible length or kind). `*at` is 0 in the beginning; it is where the looking
 * goes on when more bytes have come, and then behind the answer. */
enum wire_status wire_find_end(const struct limits *limits, const void *bytes, gsize n, gsize *at);
