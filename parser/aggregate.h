/* One XML document to one or more aggregate reports (RFC 7489 appendix C, RFC 9990 appendix A).
 *
 * Namespace-blind, order-blind and tolerant of what real reporters send; each deviation that is mended is
 * a warning with a code. Never invents a pass: a verdict, an address or a count that the text does not
 * hold does not come out (a record without a readable count stands for one mail, with a warning). No I/O, no
 * globals, no date but the one passed in (the monotonic clock serves limits->report_seconds alone), no
 * database. A DOCTYPE is refused before its first entity. */
#pragma once

#include "parser/domain.h"
#include "parser/limits.h"
#include "parser/report.h"

/* Where bytes come from: up to n into buf; 0 at the end, -1 with an error. */
struct byte_reader {
    gssize (*read)(void *self, void *buf, gsize n, GError **error);
    void *self;
};

/* What the carrying mail or file knows, used only where the report itself is silent. All may be NULL or 0. */
struct report_hints {
    const char *file_name;   /* receiver!domain!begin!end[!id].xml, RFC 7489 section 7.2.1.1 */
    const char *from_domain; /* of the carrying mail */
    const char *tls_domain;  /* its TLS-Report-Domain (RFC 8460 section 5.3), normalised */
    gint64 date;             /* Date: of the carrying mail, seconds */
    gint64 now;              /* for the warning about odd dates */
};

/* How a document ended. */
enum parse_status {
    PARSE_OK,      /* one or more reports went through begin .. end */
    PARSE_REFUSED, /* not one report could be had; code and detail say why */
    PARSE_PARTLY,  /* at least one report ended well, then something was refused: code and detail */
    PARSE_FAILED,  /* the sink or the reader failed: *error is set and nothing is known of the document */
};

struct parse_outcome {
    guint reports;    /* that reached end */
    const char *code; /* static string of codes.h, the first refusal; NULL when all is well */
    char *detail;     /* owned; names the place (line, byte) or the limit */
};
void parse_outcome_clear(struct parse_outcome *outcome);

/* What one document after the other is read with; what it made of one has no bearing on the next. Lends the
 * limits and the list. Keeps no more than a few hundred kilobytes between two documents. */
struct aggregate_parser;
struct aggregate_parser *aggregate_parser_new(const struct limits *limits,
                                              const struct domain_list *suffixes);
void aggregate_parser_free(struct aggregate_parser *parser);

/* Reads to the end and pushes what it finds. `hints` may be NULL. `outcome_r` is filled and to be cleared in
 * any case. The sink must not call it with the same parser. */
enum parse_status aggregate_parse(struct aggregate_parser *parser, struct byte_reader reader,
                                  const struct report_hints *hints, const struct report_sink *sink,
                                  struct parse_outcome *outcome_r, GError **error);
