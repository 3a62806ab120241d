/* The seam to libxml2: one well-formed XML document to events. Only xml.c knows the library.
 *
 * The strict SAX2 parser with handlers of our own, no tree, never XML_PARSE_RECOVER, NOENT, DTD* or HUGE. A
 * DOCTYPE ends the parsing before its first entity; only the five predefined entities exist. Bounded are the
 * depth, the bytes of a tag and its attributes, and the number of different names that nobody knows
 * (libxml2 2.9 needs quadratic time for many).
 *
 * A parser may read one document after the other, and knows the names of elements from the one before. After
 * a document that did not end well, or that brought many names, it is made anew: what such a document leaves
 * in it never meets the next one. */
#pragma once

#include "parser/limits.h"

enum { XML_VARIANT = 0x4000 };

struct xml_parser;

/* The id of an element's local name, with XML_VARIANT when it is spelt in another way than the standard does,
 * or -1 when it is unknown. Depends on nothing but the name: asked once, and handed to open as it is. */
typedef int (*xml_name)(const char *local);

/* Lends the limits. */
struct xml_parser *xml_parser_new(const struct limits *limits, xml_name name);
void xml_parser_free(struct xml_parser *parser);

struct xml_events {
    /* Attributes come in fives: local name, prefix, namespace, start and end of the value, in which
     * '&' is written "&#38;". FALSE stops. */
    gboolean (*open)(void *self, int id, const char *local, const char *uri, guint n_attributes,
                     const char *const *attributes);
    gboolean (*close)(void *self, const char *local);
    /* A piece of text; an element's text may come in several. FALSE stops. */
    gboolean (*text)(void *self, const char *text, gsize length);
    /* The content of a processing instruction that the repair put in; NULL where none is to be believed. */
    void (*mark)(void *self, const char *mark);
    void *self;
};

struct xml_input {
    /* 0 at the end; -1 failed, and again when asked again */
    gssize (*read)(void *self, void *buf, gsize n);
    void *self;
};

enum xml_end {
    XML_CLOSED,  /* the root element ended; what follows it was not looked at */
    XML_BROKEN,  /* not well-formed, or the input ended too early */
    XML_DOCTYPE, /* refused */
    XML_LIMIT,   /* refused; message names the limit */
    XML_STOPPED, /* by an event handler */
    XML_FAILED,  /* reading failed */
};

struct xml_result {
    enum xml_end end;
    guint64 offset; /* bytes of the input: behind the root element, or where it broke */
    int line;
    char message[160];
};

struct xml_result xml_parse(struct xml_parser *parser, struct xml_input input,
                            const struct xml_events *events);
