#include "parser/xml.h"

#include "parser/tag_guard.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <string.h>

/* Names that were seen, by their place in the parser's dictionary: those of the format, and at most
 * UNKNOWN_MAX others, other spellings included. */
enum { NAMES = 1024, UNKNOWN_MAX = 700, ID_UNKNOWN = -1, ID_UNASKED = -2 };

struct seen_name {
    const xmlChar *name;
    int id;
};

struct context {
    xmlParserCtxtPtr parser;
    struct xml_input input;
    const struct limits *limits;
    const struct xml_events *events;
    struct xml_result result;
    gboolean ended; /* result is final: events and reading are over */
    struct tag_guard guard;
    guint depth, unknown;
    struct seen_name names[NAMES];
};

static void finish(struct context *context, enum xml_end end)
{
    if (context->ended)
        return;
    context->ended = TRUE;
    context->result.end = end;
    long offset = xmlByteConsumed(context->parser);
    context->result.offset = offset > 0 ? (guint64)offset : 0;
    context->result.line = xmlSAX2GetLineNumber(context->parser);
}

G_GNUC_PRINTF(2, 3) static void finish_limit(struct context *context, const char *format, ...)
{
    if (context->ended)
        return;
    va_list arguments;
    va_start(arguments, format);
    g_vsnprintf(context->result.message, sizeof context->result.message, format, arguments);
    va_end(arguments);
    finish(context, XML_LIMIT);
}

/* Only where libxml2 expects it: in the handlers of tags and of the DOCTYPE. Elsewhere reading ends at the
 * next call of read_input. */
static void stop_here(struct context *context)
{
    if (context->ended)
        xmlStopParser(context->parser);
}

/* As much as is asked for: libxml2 2.9 looks ahead without asking for more, and takes the end of a short read
 * between
 * '?' and '>' for something else. */
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
    struct context *context = user;
    if (context->ended || n <= 0)
        return 0;
    gssize got = read_full(&context->input, buf, (gsize)n);
    if (got < 0) {
        finish(context, XML_FAILED);
        return 0;
    }
    if (tag_guard_pass(&context->guard, buf, (gsize)got))
        return (int)got;
    finish_limit(context, "a tag is longer than xml_tag (%" G_GUINT64_FORMAT " bytes)",
                 context->limits->xml_tag);
    return 0;
}

static struct seen_name *find_name(struct context *context, const xmlChar *name)
{
    guintptr hash = ((guintptr)name >> 2) * 2654435761u;
    guint slot = (guint)(hash >> 12) % NAMES;
    while (context->names[slot].name != NULL && context->names[slot].name != name)
        slot = (slot + 1) % NAMES;
    return &context->names[slot];
}

/* FALSE when there are too many names that the format does not have. */
static gboolean count_unknown(struct context *context)
{
    if (++context->unknown <= MIN(context->limits->xml_unknown, (guint)UNKNOWN_MAX))
        return TRUE;
    finish_limit(context, "the document has more different unknown names than xml_unknown (%u)",
                 context->limits->xml_unknown);
    return FALSE;
}

/* Counts the name of something that is no element. */
static void note_name(struct context *context, const xmlChar *name)
{
    if (name == NULL || context->ended)
        return;
    struct seen_name *slot = find_name(context, name);
    if (slot->name == NULL && count_unknown(context))
        *slot = (struct seen_name){name, ID_UNASKED};
}

static int element_id(struct context *context, const xmlChar *local)
{
    struct seen_name *slot = find_name(context, local);
    if (slot->name != NULL && slot->id != ID_UNASKED)
        return slot->id;
    int id = context->events->name(context->events->self, (const char *)local);
    gboolean standard = id >= 0 && (id & XML_VARIANT) == 0;
    if (slot->name != NULL || standard || count_unknown(context))
        *slot = (struct seen_name){local, id};
    return id;
}

static void note_attributes(struct context *context, int n_namespaces, const xmlChar **namespaces,
                            int n_attributes, const xmlChar **attributes)
{
    if ((guint)n_namespaces + (guint)n_attributes > context->limits->xml_attributes)
        finish_limit(context, "a tag has more attributes than xml_attributes (%u)",
                     context->limits->xml_attributes);
    for (int i = 0; i < 2 * n_namespaces; i++)
        note_name(context, namespaces[i]);
    for (int i = 0; i < n_attributes; i++) {
        note_name(context, attributes[5 * i]);
        note_name(context, attributes[5 * i + 1]);
    }
}

static void on_open(void *user, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri,
                    int n_namespaces, const xmlChar **namespaces, int n_attributes,
                    int n_defaulted G_GNUC_UNUSED, const xmlChar **attributes)
{
    struct context *context = user;
    if (context->ended)
        return;
    if (++context->depth > context->limits->xml_depth)
        finish_limit(context, "elements are nested deeper than xml_depth (%u)", context->limits->xml_depth);
    if (prefix != NULL)
        note_name(context, prefix);
    if (n_namespaces + n_attributes > 0)
        note_attributes(context, n_namespaces, namespaces, n_attributes, attributes);
    int id = context->ended ? ID_UNKNOWN : element_id(context, local);
    if (!context->ended &&
        !context->events->open(context->events->self, id, (const char *)local, (const char *)uri,
                               (guint)n_attributes, (const char *const *)attributes))
        finish(context, XML_STOPPED);
    stop_here(context);
}

static void on_close(void *user, const xmlChar *local, const xmlChar *prefix G_GNUC_UNUSED,
                     const xmlChar *uri G_GNUC_UNUSED)
{
    struct context *context = user;
    if (context->ended)
        return;
    context->depth--;
    if (!context->events->close(context->events->self, (const char *)local))
        finish(context, XML_STOPPED);
    else if (context->depth == 0)
        finish(context, XML_CLOSED);
    stop_here(context);
}

static void on_text(void *user, const xmlChar *text, int length)
{
    struct context *context = user;
    if (context->ended || length <= 0)
        return;
    if (!context->events->text(context->events->self, (const char *)text, (gsize)length))
        finish(context, XML_STOPPED);
}

static void on_instruction(void *user, const xmlChar *target, const xmlChar *data)
{
    struct context *context = user;
    if (context->events->mark != NULL && !context->ended && strcmp((const char *)target, "whosends") == 0)
        context->events->mark(context->events->self, data != NULL ? (const char *)data : "");
    else
        note_name(context, target);
    stop_here(context);
}

static void on_doctype(void *user, const xmlChar *name G_GNUC_UNUSED, const xmlChar *external G_GNUC_UNUSED,
                       const xmlChar *system G_GNUC_UNUSED)
{
    struct context *context = user;
    finish(context, XML_DOCTYPE);
    stop_here(context);
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
static void take_message(struct context *context, const char *text)
{
    char *message = context->result.message;
    const char *end;
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_strlcpy(message, valid, sizeof context->result.message);
    g_utf8_validate(message, -1, &end);
    message[end - message] = '\0';
    g_strchomp(message);
}

/* Only what breaks well-formedness counts; an unbound prefix, for one, does not. */
static void on_error(void *user, xmlErrorPtr error)
{
    struct context *context = user;
    if (context->ended || error->level != XML_ERR_FATAL)
        return;
    take_message(context, error->message != NULL ? error->message : "not well-formed");
    finish(context, XML_BROKEN);
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

struct xml_result xml_parse(struct xml_input input, const struct limits *limits,
                            const struct xml_events *events)
{
    struct context *context = g_new0(struct context, 1);
    context->input = input;
    context->limits = limits;
    context->events = events;
    context->guard.limit = limits->xml_tag;
    context->parser = xmlNewParserCtxt();
    if (context->parser == NULL)
        g_error("out of memory");
    *context->parser->sax = handler;
    context->parser->userData = context;
    xmlDocPtr tree = xmlCtxtReadIO(context->parser, read_input, NULL, context, NULL, NULL, options());
    if (tree != NULL)
        xmlFreeDoc(tree);
    if (!context->ended) {
        g_strlcpy(context->result.message, "the document ends too early", sizeof context->result.message);
        finish(context, XML_BROKEN);
    }
    struct xml_result result = context->result;
    xmlFreeParserCtxt(context->parser);
    g_free(context);
    return result;
}
