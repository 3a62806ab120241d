/* What the files of the aggregate parser share: one reader, fed with XML events, that pushes reports. For
 * parser/aggregate*.c alone. */
#pragma once

#include "parser/aggregate.h"
#include "parser/aggregate_tree.h"
#include "parser/arena.h"
#include "parser/names.h"
#include "parser/warnings.h"
#include "parser/xml.h"

/* Texts as sent, trimmed; NULL when absent, "" when empty. */
enum head_text {
    HEAD_VERSION,
    HEAD_ORG_NAME,
    HEAD_EMAIL,
    HEAD_CONTACT,
    HEAD_REPORT_ID,
    HEAD_BEGIN,
    HEAD_END,
    HEAD_ERROR,
    HEAD_GENERATOR,
    HEAD_DOMAIN,
    HEAD_ADKIM,
    HEAD_ASPF,
    HEAD_P,
    HEAD_SP,
    HEAD_NP,
    HEAD_PCT,
    HEAD_FO,
    HEAD_TESTING,
    HEAD_DISCOVERY,
    HEAD_TEXTS
};
G_STATIC_ASSERT((int)HEAD_TEXTS == NODE_SOURCE_IP - NODE_FIRST_LEAF);

enum record_text {
    RECORD_SOURCE_IP,
    RECORD_COUNT,
    RECORD_DISPOSITION,
    RECORD_DKIM,
    RECORD_SPF,
    RECORD_HEADER_FROM,
    RECORD_ENVELOPE_FROM,
    RECORD_ENVELOPE_TO,
    RECORD_TEXTS
};
G_STATIC_ASSERT((int)RECORD_TEXTS == NODE_ENTRY_0 - NODE_SOURCE_IP);

/* A DKIM result (domain, selector, result, human_result), an SPF result (scope in the second place) or a
 * reason (type, comment). */
enum { ENTRY_DOMAIN, ENTRY_SELECTOR, ENTRY_RESULT, ENTRY_HUMAN, ENTRY_TEXTS };
enum { ENTRY_SCOPE = ENTRY_SELECTOR, ENTRY_TYPE = ENTRY_DOMAIN, ENTRY_COMMENT = ENTRY_SELECTOR };

struct entry {
    const char *text[ENTRY_TEXTS];
    gboolean bare; /* a reason whose type is the text of <reason> itself */
};

struct entries {
    struct entry *items;
    guint n, room;
    gboolean looked; /* more came than are kept, */
    guint nearest;   /* and how near to the From domain those that are kept come */
};

struct raw_record {
    const char *text[RECORD_TEXTS];
    struct entries dkim, spf, reasons;
    const char *extensions;
    guint seen;   /* bits of enum node */
    guint in_row; /* those of them that stood in the row, where they do not belong */
    guint64 high; /* those that count so far and stand one level above their place */
    gboolean damaged;
};

enum report_state {
    REPORT_NONE,    /* outside of a feedback element */
    REPORT_OPEN,    /* inside */
    REPORT_CLOSED,  /* all of it came; sink->end is still owed */
    REPORT_REFUSED, /* inside, and passed over */
};

/* Text that comes in pieces, as bytes. */
struct leaf_text {
    char *bytes;
    gsize length, room;
};

struct reader {
    const struct limits *limits;
    gsize short_text; /* bytes of a text that is too long nowhere */
    const struct report_hints *hints;
    const struct report_sink *sink;
    struct names *names;

    /* where we are in the document; place[0] stands above the root */
    guint8 *place;
    guint depth;
    gboolean collect;      /* the innermost element is a leaf whose text is wanted */
    gboolean cut;          /* its text was longer than allowed */
    gboolean cut_name;     /* and is no prose */
    gboolean stray;        /* text between tags was seen, and counted */
    struct leaf_text text; /* of the leaf, or of a reason */
    struct entry *entry;
    struct entry waste; /* for results beyond the limit */
    GString *extension;
    guint extension_depth;   /* 0: not in one */
    gboolean extension_open; /* its last start tag lacks the '>' */
    guint closed;            /* feedback elements that ended in this reading */
    gboolean schema;         /* a schema tag stood outside of reports, and no report tells of it yet */

    /* the report */
    const gboolean *lead, *bad_charset; /* what the feed found: goes with the reports that it fed */
    enum report_state state;
    gboolean begun;
    gboolean incomplete;
    struct arena head_arena;
    const char *head_text[HEAD_TEXTS];
    char *namespace_uri;
    GString *head_extensions;
    gboolean extension_element; /* one of RFC 9990 stands above the records */
    guint head_seen, head_done; /* bits of enum node: opened, closed */
    guint64 head_high;          /* as of records */
    GChecksum *id;              /* of the texts so far, while there is no report_id */
    struct report_head head;
    GPtrArray *head_raw;
    struct warnings warnings;
    guint64 records_seen, records_out, addresses_out;

    /* the record */
    struct arena record_arena; /* raw ones, also those that wait for the head */
    struct arena scratch;      /* the one that is being pushed */
    GPtrArray *held;
    struct raw_record record;
    gboolean in_record;
    const char *cut_from_of, *cut_from; /* a text with several From domains, and the first of them */
    GPtrArray *raw;
    gboolean adkim_strict, aspf_strict;

    /* how it went */
    guint reports;
    gboolean feedback_seen;
    const char *code; /* the first refusal, static */
    char *detail;
    GError *error; /* of the sink */
};

/* aggregate_read.c */
extern const struct xml_events reader_events; /* with self to be filled in */
int reader_name(const char *local);           /* an xml_name */
/* One reader serves one document after the other: start, read, forget. Lends the limits and the list. */
void reader_init(struct reader *reader, const struct limits *limits, const struct domain_list *suffixes);
void reader_start(struct reader *reader, const struct report_hints *hints, const struct report_sink *sink);
/* Nothing of the document stays but the memory, and the names, which mean the same in any document. */
void reader_forget(struct reader *reader);
void reader_clear(struct reader *reader);
/* Before each reading of a document: back to above the root. */
void reader_rewind(struct reader *reader);
/* "element=raw" for the lists of raw words. */
const char *reader_raw_word(struct arena *arena, const char *element, const char *raw);

/* aggregate_extension.c: what stands in an extension, which reader->extension_depth is of; its last end tag
 * keeps it, with the record or the head. */
void extension_open(struct reader *reader, const char *local, const char *uri, guint n_attributes,
                    const char *const *attributes);
void extension_text(struct reader *reader, const char *text, gsize length);
void extension_close(struct reader *reader, const char *local);

/* aggregate_report.c: the life of a report. FALSE: stop reading; error or code say why. */
void report_open(struct reader *reader, const char *namespace_uri);
gboolean report_record_open(struct reader *reader);
gboolean report_record_close(struct reader *reader);
gboolean report_close(struct reader *reader);
/* The text broke off inside the report: its whole records are good. */
gboolean report_break_off(struct reader *reader);
/* Hands out the end that is owed. */
gboolean report_settle(struct reader *reader);
/* Gives up the report that is open or owed. */
void report_abandon(struct reader *reader);
/* Notes a refusal; the first one is kept. */
void report_refuse(struct reader *reader, enum code code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* aggregate_head.c: fills reader->head. FALSE when the report must be refused: the code is noted. `first` is
 * a record whose header_from may stand in for the policy domain, or NULL. */
gboolean head_build(struct reader *reader, const struct raw_record *first);
/* Whether the policy itself tells its domain. */
gboolean head_names_domain(struct reader *reader);

/* aggregate_record.c: pushes a record, or skips it with a warning. FALSE only when the sink fails. */
gboolean record_push(struct reader *reader, const struct raw_record *raw);
/* A DKIM or SPF result that is one too many: the last one that is kept makes room for it when it aligns and
 * none of those does, so that what passed is not lost behind what others made the reporter write. */
void record_keep_nearer(struct reader *reader, struct entries *kept, const struct entry *entry);
/* The From domain as text: the first of several; NULL when there is none. Valid until the next record. */
const char *record_header_from(struct reader *reader, const struct raw_record *raw);
/* Whether that is a domain name. */
gboolean record_names_domain(struct reader *reader, const struct raw_record *raw);
