/* One document, read strictly; and where that fails, once more from what the repair makes of it. */
#include "parser/aggregate_int.h"

#include "parser/error.h"
#include "parser/feed.h"
#include "parser/repair.h"

#include <string.h>

/* Reports in a row in one document; each needs a parser of its own. */
enum { DOCUMENTS_MAX = 1000 };

enum section { COMMENT, INSTRUCTION, SECTIONS };

struct aggregate_parser {
    struct feed feed;
    struct reader reader;
    struct xml_parser *xml;
    const struct limits *limits;
    guint documents;           /* of this reading */
    gboolean no_end[SECTIONS]; /* none of these has an end in what is left of it */
};

static gssize read_feed(void *self, void *buf, gsize n)
{
    return feed_read(self, buf, n);
}

static gssize read_repair(void *self, void *buf, gsize n)
{
    return repair_read(self, buf, n);
}

/* A refusal of what was being read: a report that had come to its end before is good. */
static void refuse(struct aggregate_parser *parse, enum code code, const char *what,
                   const struct xml_result *result)
{
    if (!report_settle(&parse->reader))
        return;
    if (result != NULL)
        report_refuse(&parse->reader, code, "%s in line %d: %s", what, result->line, result->message);
    else
        report_refuse(&parse->reader, code, "%s", what);
}

/* The ends of a reading that are the same for both. Returns FALSE for those that are not handled. */
static gboolean stopped(struct aggregate_parser *parse, const struct xml_result *result)
{
    switch (result->end) {
    case XML_LIMIT:
        refuse(parse, CODE_LIMIT, result->message, NULL);
        return TRUE;
    case XML_STOPPED:
        report_abandon(&parse->reader);
        return TRUE;
    case XML_FAILED:
        if (parse->feed.late)
            refuse(parse, CODE_LIMIT, parse->feed.error->message, NULL);
        else
            report_abandon(&parse->reader);
        return TRUE;
    case XML_DOCTYPE:
        refuse(parse, CODE_DOCTYPE, "the document has a DOCTYPE", NULL);
        return TRUE;
    default:
        return FALSE;
    }
}

static void read_repaired(struct aggregate_parser *parse, const guint8 *data, gsize length,
                          const struct xml_result *why)
{
    struct reader *reader = &parse->reader;
    struct repair *repair = repair_new(data, length, reader->closed, parse->limits);
    struct xml_events events = reader_events;
    events.self = reader;
    if (reader->state == REPORT_OPEN)
        report_abandon(reader);
    reader_rewind(reader);
    reader->schema = FALSE; /* the repair tells of it */
    struct xml_result result = xml_parse(parse->xml, (struct xml_input){read_repair, repair}, &events);
    if (repair_doctype(repair))
        refuse(parse, CODE_DOCTYPE, "the document has a DOCTYPE", NULL);
    else if (!stopped(parse, &result) && result.end == XML_BROKEN) {
        if (repair_broke_off(repair) && reader->state == REPORT_OPEN)
            report_break_off(reader);
        else if (reader->state != REPORT_NONE || repair_found(repair))
            refuse(parse, CODE_XML, "the document is not well-formed", why);
    }
    repair_free(repair);
}

static gboolean has_at(struct feed *feed, guint64 at, const char *text)
{
    for (; *text != '\0'; text++, at++)
        if (feed_at(feed, at) != *text)
            return FALSE;
    return TRUE;
}

/* The tag of a feedback element, in any spelling; `open` is "<" or "</". */
static gboolean is_feedback(struct feed *feed, guint64 at, const char *open)
{
    char name[64];
    gsize n = 0;
    int c;
    if (!has_at(feed, at, open))
        return FALSE;
    at += strlen(open);
    while (n < sizeof name - 1 && (c = feed_at(feed, at + n)) > 0 &&
           (g_ascii_isalnum(c) || strchr("_:.-", c) != NULL))
        name[n++] = (char)c;
    name[n] = '\0';
    const char *colon = strchr(name, ':');
    return g_ascii_strcasecmp(colon != NULL ? colon + 1 : name, "feedback") == 0;
}

/* The last thing in the document is the end tag of feedback: it is all there, whatever is wrong with it. */
static gboolean ends_well(struct feed *feed)
{
    guint64 end = feed_end(feed), at = end;
    while (at > 0 && end - at < 256 && feed_at(feed, at - 1) != '<')
        at--;
    return at > 0 && is_feedback(feed, at - 1, "</");
}

static void broken(struct aggregate_parser *parse, guint64 start, const struct xml_result *result)
{
    struct reader *reader = &parse->reader;
    const guint8 *data;
    gsize length;
    gboolean breaks_off =
        reader->state == REPORT_OPEN && feed_breaks_off(&parse->feed, start + result->offset);
    if (breaks_off && !ends_well(&parse->feed))
        report_break_off(reader);
    else if (feed_rest(&parse->feed, start, &data, &length))
        read_repaired(parse, data, length, result);
    else if (parse->feed.error != NULL)
        stopped(parse, &(struct xml_result){.end = XML_FAILED});
    else
        refuse(parse, CODE_XML, "the document is longer than xml_repair and not well-formed", result);
}

/* ---- one document behind the other ---- */

/* Behind the comment or instruction that starts at `at`, or `at` itself. Never searches twice in vain. */
static guint64 behind(struct aggregate_parser *parse, guint64 at, enum section section)
{
    static const char *const starts[] = {"<!--", "<?"}, *const ends[] = {"-->", "?>"};
    struct feed *feed = &parse->feed;
    const char *start = starts[section], *end = ends[section];
    if (parse->no_end[section] || !has_at(feed, at, start))
        return at;
    for (guint64 next = at + strlen(start); feed_at(feed, next) >= 0; next++)
        if (has_at(feed, next, end))
            return next + strlen(end);
    parse->no_end[section] = TRUE;
    return at;
}

static guint64 skip_blank(struct feed *feed, guint64 at)
{
    for (int c; (c = feed_at(feed, at)) == ' ' || c == '\t' || c == '\r' || c == '\n';)
        at++;
    return at;
}

/* What XML allows behind the root: white space, comments, instructions. */
static guint64 skip_misc(struct aggregate_parser *parse, guint64 at)
{
    struct feed *feed = &parse->feed;
    guint64 before;
    do {
        before = at;
        at = skip_blank(feed, at);
        if (!has_at(feed, at, "<?xml"))
            at = behind(parse, behind(parse, at, COMMENT), INSTRUCTION);
    } while (at != before);
    return at;
}

/* Looks at what follows a root element. TRUE when another report starts at *start_r. */
static gboolean next_document(struct aggregate_parser *parse, guint64 behind_root, guint64 *start_r)
{
    struct feed *feed = &parse->feed;
    guint64 at = skip_misc(parse, behind_root);
    if (feed_at(feed, at) < 0)
        return FALSE;
    if (parse->reader.state == REPORT_CLOSED)
        warnings_add(&parse->reader.warnings, CODE_XML_TRAIL, NULL, NULL);
    while (feed_at(feed, at) >= 0 && !is_feedback(feed, at, "<"))
        at++;
    *start_r = at;
    return feed_at(feed, at) >= 0;
}

/* Reads the document that starts at *start. TRUE when another one follows, whose start is then there. */
static gboolean read_document(struct aggregate_parser *parse, guint64 *start)
{
    struct xml_events events = reader_events;
    events.self = &parse->reader;
    events.mark = NULL;
    if (!feed_go(&parse->feed, *start) || !report_settle(&parse->reader))
        return FALSE;
    if (++parse->documents > DOCUMENTS_MAX) {
        report_refuse(&parse->reader, CODE_LIMIT, "more than %d reports follow each other", DOCUMENTS_MAX);
        return FALSE;
    }
    reader_rewind(&parse->reader);
    struct xml_result result = xml_parse(parse->xml, (struct xml_input){read_feed, &parse->feed}, &events);
    if (stopped(parse, &result))
        return FALSE;
    if (result.end == XML_CLOSED)
        return next_document(parse, *start + result.offset, start);
    broken(parse, *start, &result);
    return FALSE;
}

static enum parse_status conclude(struct aggregate_parser *parse, struct parse_outcome *outcome,
                                  GError **error)
{
    struct reader *reader = &parse->reader;
    gboolean read_failed = parse->feed.error != NULL && !parse->feed.late;
    if (!read_failed && reader->error == NULL)
        report_settle(reader);
    if (read_failed || reader->error != NULL) {
        report_abandon(reader);
        GError **cause = reader->error != NULL ? &reader->error : &parse->feed.error;
        g_propagate_error(error, g_steal_pointer(cause));
        return PARSE_FAILED;
    }
    if (reader->reports == 0 && reader->code == NULL)
        report_refuse(reader, CODE_NO_ROOT, "the document holds no feedback element");
    outcome->reports = reader->reports;
    outcome->code = reader->code;
    outcome->detail = g_steal_pointer(&reader->detail);
    if (reader->reports == 0)
        return PARSE_REFUSED;
    return reader->code != NULL ? PARSE_PARTLY : PARSE_OK;
}

struct aggregate_parser *aggregate_parser_new(const struct limits *limits, const struct domain_list *suffixes)
{
    struct aggregate_parser *parse = g_new0(struct aggregate_parser, 1);
    parse->limits = limits;
    parse->xml = xml_parser_new(limits, reader_name);
    feed_init(&parse->feed, limits);
    reader_init(&parse->reader, limits, suffixes);
    return parse;
}

void aggregate_parser_free(struct aggregate_parser *parse)
{
    if (parse == NULL)
        return;
    xml_parser_free(parse->xml);
    reader_clear(&parse->reader);
    feed_clear(&parse->feed);
    g_free(parse);
}

enum parse_status aggregate_parse(struct aggregate_parser *parse, struct byte_reader reader,
                                  const struct report_hints *hints, const struct report_sink *sink,
                                  struct parse_outcome *outcome_r, GError **error)
{
    *outcome_r = (struct parse_outcome){0};
    parse->documents = 0;
    memset(parse->no_end, 0, sizeof parse->no_end);
    feed_start(&parse->feed, reader);
    reader_start(&parse->reader, hints, sink);
    parse->reader.lead = &parse->feed.lead;
    parse->reader.bad_charset = &parse->feed.bad_charset;
    guint64 start = 0;
    if (feed_at(&parse->feed, 0) >= 0)
        while (read_document(parse, &start))
            ;
    else if (parse->feed.late)
        refuse(parse, CODE_LIMIT, parse->feed.error->message, NULL);
    else if (parse->feed.error == NULL)
        refuse(parse, CODE_EMPTY, "the document is empty", NULL);
    enum parse_status status = conclude(parse, outcome_r, error);
    reader_forget(&parse->reader);
    feed_forget(&parse->feed);
    return status;
}

void parse_outcome_clear(struct parse_outcome *outcome)
{
    g_clear_pointer(&outcome->detail, g_free);
}
