/* Reads what an IMAP server sends (RFC 9051 section 9, RFC 3501), one piece after the other, as the caller
 * asks for it.
 *
 * Everything is taken for hostile. There is no recursion; a line, a literal, a list of numbers and the bytes
 * of one command are bounded. The first failure sticks: from then on every call fails, and imap_parser_failed
 * says why. A literal is counted off, never searched, so that nothing in a mail can pass for an answer. All
 * errors are WS_ERROR_SOURCE. */
#pragma once

#include <glib.h>

struct imap_parser;

/* Waits for bytes and puts up to n of them into buf: how many, 0 when the connection has ended, -1 with an
 * error. */
typedef gssize (*imap_read_func)(void *self, void *buf, gsize n, GError **error);

enum {
    IMAP_LINE_MAX = 64 * 1024,     /* bytes of one response outside of its literals */
    IMAP_NUMBERS_MAX = 4 * 1048576 /* numbers in one list */
};

/* A literal over `literal_max` bytes is refused when it is announced. */
struct imap_parser *imap_parser_new(imap_read_func read, void *self, guint64 literal_max);
void imap_parser_free(struct imap_parser *parser);

/* A new command: from here on up to `bytes` may come before the next call of this. */
void imap_parser_allow(struct imap_parser *parser, guint64 bytes);
/* Makes the parser fail, for a caller that finds something it will not have; the first reason stays. */
void imap_parser_fail(struct imap_parser *parser, const char *reason);
/* TRUE with a copy of the failure when there was one. */
gboolean imap_parser_failed(const struct imap_parser *parser, GError **error);

enum imap_kind { IMAP_TAGGED, IMAP_UNTAGGED, IMAP_CONTINUATION };

/* How a response begins. The texts are lent until the next call of the parser. */
struct imap_response {
    enum imap_kind kind;
    const char *tag; /* of a tagged one */
    gboolean has_number;
    guint32 number;   /* "* 12 FETCH" */
    const char *name; /* upper case: FETCH, SEARCH, OK ... */
    const char *code; /* what stood in [] after OK, NO, BAD, BYE or PREAUTH, or NULL */
    const char
        *text; /* the rest after these five and after '+', else NULL; raw bytes without NUL, CR and LF */
};

/* Whether bytes have come that were not looked at yet, so that it makes no sense to wait for others. */
gboolean imap_parser_pending(const struct imap_parser *parser);

/* The beginning of the next response; what was not read of the one before is dropped. After OK, NO, BAD, BYE,
 * PREAUTH and a continuation nothing is left of it; else the rest comes as tokens. FALSE: failed. */
gboolean imap_parser_response(struct imap_parser *parser, struct imap_response *response_r);
/* One whole line as it is, without its end; lent. For the first answers after a login that somebody else
 * made. */
gboolean imap_parser_line(struct imap_parser *parser, const char **line_r);

enum imap_token {
    IMAP_ATOM,    /* text; BODY[HEADER.FIELDS (From)] is one, \Seen too, NIL too */
    IMAP_STRING,  /* text, from between double quotes */
    IMAP_LITERAL, /* size; its bytes by imap_parser_literal */
    IMAP_OPEN,
    IMAP_CLOSE,
    IMAP_END, /* of the response */
    IMAP_FAILED,
};

/* The next token of the response; bytes of a literal that nobody read are dropped. */
enum imap_token imap_parser_token(struct imap_parser *parser);
/* Of the last token that was IMAP_ATOM or IMAP_STRING; lent until the next one. */
const char *imap_parser_text(const struct imap_parser *parser);
/* Of the last IMAP_LITERAL. */
guint64 imap_parser_literal_size(const struct imap_parser *parser);
/* The next bytes of a literal, lent until the next call. FALSE at its end, or failed. */
gboolean imap_parser_literal(struct imap_parser *parser, const char **data_r, gsize *n_r);

/* Atom, quoted string or short literal as text owned by the caller, NULL for NIL. FALSE: failed. */
gboolean imap_parser_string(struct imap_parser *parser, char **text_r);
/* A number as the next token. FALSE: failed. */
gboolean imap_parser_number(struct imap_parser *parser, guint64 max, guint64 *number_r);
/* Drops one value: an atom, a string, a literal or a whole list. FALSE: failed. */
gboolean imap_parser_skip_value(struct imap_parser *parser);
/* All numbers up to the end of the response or to the first thing that is none, appended to an array of
 * guint32; 0 is left out. FALSE: failed. */
gboolean imap_parser_numbers(struct imap_parser *parser, GArray *numbers);
