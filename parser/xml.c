#include "parser/xml.h"

#include "parser/tag_guard.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <string.h>

/* Names that were seen, by their place in the parser's dictionary: those of the format, at most UNKNOWN_MAX
 * others, other spellings included, and those of earlier documents, which are at most KEPT_NAMES. A
 * dictionary is kept with KEPT_BYTES at most. */
enum {
    NAMES = 2048,
    UNKNOWN_MAX = 700,
    KEPT_NAMES = 256,
    KEPT_BYTES = 64 * 1024,
    ID_UNKNOWN = -1,
    ID_UNASKED = -2
};

struct seen_name {
    const xmlChar *name;
    int id;
    guint64 document; /* the last one in which it stood */
};

struct xml_parser {
    xmlParserCtxtPtr library; /* NULL: to be made */
    const struct limits *limits;
    xml_name name;
    struct seen_name *names;
    guint64 documents;
    /* this document */
    struct xml_input input;
    const struct xml_events *events;
    struct xml_result result;
    gboolean ended; /* result is final: events and reading are over */
    struct tag_guard guard;
    guint depth, unknown;
};

/* As xmlByteConsumed, which libxml2 2.15 advises against, for input that is UTF-8 already. */
static guint64 place(const xmlParserCtxt *library)
{
    const xmlParserInput *input = library->input;
    return input != NULL ? input->consumed + (guint64)(input->cur - input->base) : 0;
}

static void finish(struct xml_parser *parser, enum xml_end end)
{
    if (parser->ended)
        return;
    parser->ended = TRUE;
    parser->result.end = end;
    parser->result.offset = place(parser->library);
    parser->result.line = xmlSAX2GetLineNumber(parser->library);
}

G_GNUC_PRINTF(2, 3) static void finish_limit(struct xml_parser *parser, const char *format, ...)
{
    if (parser->ended)
        return;
    va_list arguments;
    va_start(arguments, format);
    g_vsnprintf(parser->result.message, sizeof parser->result.message, format, arguments);
    va_end(arguments);
    finish(parser, XML_LIMIT);
}

/* Only where libxml2 expects it: in the handlers of tags and of the DOCTYPE. Elsewhere reading ends at the
 * next call of read_input. */
static void stop_here(struct xml_parser *parser)
{
    if (parser->ended)
        xmlStopParser(parser->library);
}

/* As much as is asked for: libxml2 2.9 looks ahead without asking for more, and takes the end of a short read
 * between '?' and '>' for something else. */
static gssize read_full(const struct xml_input *input, char *buf, gsize n)
{
    gsize sum = 0;
    while (sum < n) {
        gssize got = input->read(input->self, buf + sum, n - sum);
        if (got < 0 && sum == 0)
            return -1;
        if (got <= 0)
            break;
        sum += (gsize)got;
    }
    return (gssize)sum;
}

static int read_input(void *user, char *buf, int n)
{
    struct xml_parser *parser = user;
    if (parser->ended || n <= 0)
        return 0;
    gssize got = read_full(&parser->input, buf, (gsize)n);
    if (got < 0) {
        finish(parser, XML_FAILED);
        return 0;
    }
    if (tag_guard_pass(&parser->guard, buf, (gsize)got))
        return (int)got;
    finish_limit(parser, "a tag is longer than xml_tag (%" G_GUINT64_FORMAT " bytes)",
                 parser->limits->xml_tag);
    return 0;
}

static struct seen_name *find_name(const struct xml_parser *parser, const xmlChar *name)
{
    guintptr hash = ((guintptr)name >> 2) * 2654435761u;
    gsize slot = (hash >> 12) % NAMES;
    while (G_UNLIKELY(parser->names[slot].name != name) && parser->names[slot].name != NULL)
        slot = (slot + 1) % NAMES;
    return &parser->names[slot];
}

/* FALSE when there are too many names that the format does not have. */
static gboolean count_unknown(struct xml_parser *parser)
{
    if (++parser->unknown <= MIN(parser->limits->xml_unknown, (guint)UNKNOWN_MAX))
        return TRUE;
    finish_limit(parser, "the document has more different unknown names than xml_unknown (%u)",
                 parser->limits->xml_unknown);
    return FALSE;
}

/* Counts the name of something that is no element. */
static void note_name(struct xml_parser *parser, const xmlChar *name)
{
    if (name == NULL || parser->ended)
        return;
    struct seen_name *slot = find_name(parser, name);
    if (slot->document == parser->documents || !count_unknown(parser))
        return;
    if (slot->name == NULL)
        *slot = (struct seen_name){.name = name, .id = ID_UNASKED};
    slot->document = parser->documents;
}

/* The id of a name that is new in this document, or new as an element. */
static int new_id(struct xml_parser *parser, struct seen_name *slot, const xmlChar *local)
{
    gboolean known = slot->name != NULL && slot->id != ID_UNASKED;
    int id = known ? slot->id : parser->name((const char *)local);
    gboolean standard = id >= 0 && (id & XML_VARIANT) == 0;
    if (slot->document == parser->documents || standard || count_unknown(parser))
        *slot = (struct seen_name){local, id, parser->documents};
    return id;
}

static inline int element_id(struct xml_parser *parser, const xmlChar *local)
{
    struct seen_name *slot = find_name(parser, local);
    if (G_LIKELY(slot->document == parser->documents && slot->id != ID_UNASKED))
        return slot->id;
    return new_id(parser, slot, local);
}

static void note_attributes(struct xml_parser *parser, int n_namespaces, const xmlChar **namespaces,
                            int n_attributes, const xmlChar **attributes)
{
    if ((guint)n_namespaces + (guint)n_attributes > parser->limits->xml_attributes)
        finish_limit(parser, "a tag has more attributes than xml_attributes (%u)",
                     parser->limits->xml_attributes);
    for (int i = 0; i < 2 * n_namespaces; i++)
        note_name(parser, namespaces[i]);
    for (int i = 0; i < n_attributes; i++) {
        note_name(parser, attributes[5 * i]);
        note_name(parser, attributes[5 * i + 1]);
    }
}

static void on_open(void *user, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri,
                    int n_namespaces, const xmlChar **namespaces, int n_attributes,
                    int n_defaulted G_GNUC_UNUSED, const xmlChar **attributes)
{
    struct xml_parser *parser = user;
    if (parser->ended)
        return;
    if (++parser->depth > parser->limits->xml_depth)
        finish_limit(parser, "elements are nested deeper than xml_depth (%u)", parser->limits->xml_depth);
    if (prefix != NULL)
        note_name(parser, prefix);
    if (n_namespaces + n_attributes > 0)
        note_attributes(parser, n_namespaces, namespaces, n_attributes, attributes);
    int id = parser->ended ? ID_UNKNOWN : element_id(parser, local);
    if (!parser->ended &&
        !parser->events->open(parser->events->self, id, (const char *)local, (const char *)uri,
                              (guint)n_attributes, (const char *const *)attributes))
        finish(parser, XML_STOPPED);
    stop_here(parser);
}

static void on_close(void *user, const xmlChar *local, const xmlChar *prefix G_GNUC_UNUSED,
                     const xmlChar *uri G_GNUC_UNUSED)
{
    struct xml_parser *parser = user;
    if (parser->ended)
        return;
    parser->depth--;
    if (!parser->events->close(parser->events->self, (const char *)local))
        finish(parser, XML_STOPPED);
    else if (parser->depth == 0)
        finish(parser, XML_CLOSED);
    stop_here(parser);
}

static void on_text(void *user, const xmlChar *text, int length)
{
    struct xml_parser *parser = user;
    if (parser->ended || length <= 0)
        return;
    if (!parser->events->text(parser->events->self, (const char *)text, (gsize)length))
        finish(parser, XML_STOPPED);
}

static void on_instruction(void *user, const xmlChar *target, const xmlChar *data)
{
    struct xml_parser *parser = user;
    if (parser->events->mark != NULL && !parser->ended && strcmp((const char *)target, "whosends") == 0)
        parser->events->mark(parser->events->self, data != NULL ? (const char *)data : "");
    else
        note_name(parser, target);
    stop_here(parser);
}

static void on_doctype(void *user, const xmlChar *name G_GNUC_UNUSED, const xmlChar *external G_GNUC_UNUSED,
                       const xmlChar *system G_GNUC_UNUSED)
{
    struct xml_parser *parser = user;
    finish(parser, XML_DOCTYPE);
    stop_here(parser);
}

static xmlEntityPtr on_entity(void *user G_GNUC_UNUSED, const xmlChar *name)
{
    return xmlGetPredefinedEntity(name);
}

static xmlEntityPtr on_parameter_entity(void *user G_GNUC_UNUSED, const xmlChar *name G_GNUC_UNUSED)
{
    return NULL;
}

static xmlParserInputPtr on_external(void *user G_GNUC_UNUSED, const xmlChar *public G_GNUC_UNUSED,
                                     const xmlChar *system G_GNUC_UNUSED)
{
    return NULL;
}

/* The library quotes names and bytes of the document in its words, and they may be too long for us. */
static void take_message(struct xml_parser *parser, const char *text)
{
    char *message = parser->result.message;
    const char *end;
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_strlcpy(message, valid, sizeof parser->result.message);
    g_utf8_validate(message, -1, &end);
    message[end - message] = '\0';
    g_strchomp(message);
}

#if LIBXML_VERSION >= 21200
typedef const xmlError library_error;
#else
typedef xmlError library_error;
#endif

/* Only what breaks well-formedness counts; an unbound prefix, for one, does not. */
static void on_error(void *user, library_error *error)
{
    struct xml_parser *parser = user;
    if (parser->ended || error->level != XML_ERR_FATAL)
        return;
    take_message(parser, error->message != NULL ? error->message : "not well-formed");
    finish(parser, XML_BROKEN);
}

static const xmlSAXHandler handler = {
    .initialized = XML_SAX2_MAGIC,
    .startElementNs = on_open,
    .endElementNs = on_close,
    .characters = on_text,
    .ignorableWhitespace = on_text,
    .cdataBlock = on_text,
    .processingInstruction = on_instruction,
    .internalSubset = on_doctype,
    .externalSubset = on_doctype,
    .getEntity = on_entity,
    .getParameterEntity = on_parameter_entity,
    .resolveEntity = on_external,
    .serror = on_error,
};

static int options(void)
{
    int result = XML_PARSE_NONET | XML_PARSE_IGNORE_ENC;
#if LIBXML_VERSION >= 21300
    result |= XML_PARSE_NO_XXE;
#endif
    return result;
}

struct xml_parser *xml_parser_new(const struct limits *limits, xml_name name)
{
    struct xml_parser *parser = g_new0(struct xml_parser, 1);
    parser->limits = limits;
    parser->name = name;
    parser->names = g_new0(struct seen_name, NAMES);
    return parser;
}

void xml_parser_free(struct xml_parser *parser)
{
    if (parser == NULL)
        return;
    xmlFreeParserCtxt(parser->library);
    g_free(parser->names);
    g_free(parser);
}

static void begin(struct xml_parser *parser, struct xml_input input, const struct xml_events *events)
{
    parser->documents++;
    parser->input = input;
    parser->events = events;
    parser->result = (struct xml_result){0};
    parser->ended = FALSE;
    parser->guard = (struct tag_guard){.limit = parser->limits->xml_tag};
    parser->depth = parser->unknown = 0;
    if (parser->library != NULL)
        return;
    parser->library = xmlNewParserCtxt();
    if (parser->library == NULL)
        g_error("out of memory");
    *parser->library->sax = handler;
    parser->library->userData = parser;
}

/* Only what ended well, with every element closed, is read on with. */
static gboolean may_be_kept(const struct xml_parser *parser)
{
    xmlDictPtr names = parser->library->dict;
    return parser->result.end == XML_CLOSED && xmlDictSize(names) <= KEPT_NAMES &&
           xmlDictGetUsage(names) <= KEPT_BYTES;
}

static void rest(struct xml_parser *parser)
{
    parser->input = (struct xml_input){0};
    parser->events = NULL;
    if (may_be_kept(parser)) {
        xmlCtxtReset(parser->library);
        return;
    }
    xmlFreeParserCtxt(parser->library);
    parser->library = NULL;
    memset(parser->names, 0, NAMES * sizeof *parser->names);
}

struct xml_result xml_parse(struct xml_parser *parser, struct xml_input input,
                            const struct xml_events *events)
{
    begin(parser, input, events);
    xmlDocPtr tree = xmlCtxtReadIO(parser->library, read_input, NULL, parser, NULL, NULL, options());
    if (tree != NULL)
        xmlFreeDoc(tree);
    if (!parser->ended) {
        g_strlcpy(parser->result.message, "the document ends too early", sizeof parser->result.message);
        finish(parser, XML_BROKEN);
    }
    rest(parser);
    return parser->result;
}
