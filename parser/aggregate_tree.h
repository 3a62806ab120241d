/* The shape of an aggregate report as tables: names of elements, where each may stand, and what it holds.
 * Both generations (RFC 7489 appendix C, RFC 9990 appendix A) and their drafts in one tree. */
#pragma once

#include <glib.h>

enum name {
    NAME_FEEDBACK,
    NAME_VERSION,
    NAME_REPORT_METADATA,
    NAME_ORG_NAME,
    NAME_EMAIL,
    NAME_EXTRA_CONTACT_INFO,
    NAME_REPORT_ID,
    NAME_DATE_RANGE,
    NAME_BEGIN,
    NAME_END,
    NAME_ERROR,
    NAME_GENERATOR,
    NAME_POLICY_PUBLISHED,
    NAME_DOMAIN,
    NAME_ADKIM,
    NAME_ASPF,
    NAME_P,
    NAME_SP,
    NAME_NP,
    NAME_PCT,
    NAME_FO,
    NAME_TESTING,
    NAME_DISCOVERY_METHOD,
    NAME_EXTENSION,
    NAME_EXTENSIONS,
    NAME_RECORDS,
    NAME_RECORD,
    NAME_ROW,
    NAME_SOURCE_IP,
    NAME_COUNT,
    NAME_POLICY_EVALUATED,
    NAME_DISPOSITION,
    NAME_DKIM,
    NAME_SPF,
    NAME_REASON,
    NAME_TYPE,
    NAME_COMMENT,
    NAME_IDENTIFIERS,
    NAME_IDENTITIES,
    NAME_ENVELOPE_TO,
    NAME_ENVELOPE_FROM,
    NAME_HEADER_FROM,
    NAME_AUTH_RESULTS,
    NAME_SELECTOR,
    NAME_SCOPE,
    NAME_RESULT,
    NAME_HUMAN_RESULT,
    NAME_LAST
};

/* Places in the tree. */
enum node {
    NODE_SKIP, /* unknown: it and all below is passed over */
    NODE_WRAPPER,
    NODE_EXTENSION,
    NODE_FEEDBACK,
    NODE_METADATA,
    NODE_DATE_RANGE,
    NODE_POLICY,
    NODE_RECORDS, /* of no standard: all of them in one element */
    NODE_RECORD,
    NODE_ROW,
    NODE_EVALUATED,
    NODE_REASON,
    NODE_IDENTIFIERS,
    NODE_AUTH,
    NODE_DKIM,
    NODE_SPF,
    NODE_FIRST_LEAF,
    /* leaves of the head, in the order of enum head_text */
    NODE_VERSION = NODE_FIRST_LEAF,
    NODE_ORG_NAME,
    NODE_EMAIL,
    NODE_CONTACT,
    NODE_REPORT_ID,
    NODE_BEGIN,
    NODE_END,
    NODE_ERROR,
    NODE_GENERATOR,
    NODE_DOMAIN,
    NODE_ADKIM,
    NODE_ASPF,
    NODE_P,
    NODE_SP,
    NODE_NP,
    NODE_PCT,
    NODE_FO,
    NODE_TESTING,
    NODE_DISCOVERY,
    /* leaves of a record, in the order of enum record_text */
    NODE_SOURCE_IP,
    NODE_COUNT,
    NODE_DISPOSITION,
    NODE_PE_DKIM,
    NODE_PE_SPF,
    NODE_HEADER_FROM,
    NODE_ENVELOPE_FROM,
    NODE_ENVELOPE_TO,
    /* leaves of one DKIM or SPF result or reason, in the order of struct entry's texts */
    NODE_ENTRY_0, /* domain; type of a reason */
    NODE_ENTRY_1, /* selector or scope; comment of a reason */
    NODE_ENTRY_2, /* result */
    NODE_ENTRY_3, /* human_result */
    NODE_LAST
};

/* The element of this name below `parent`; NODE_SKIP when none belongs there. */
extern const guint8 tree_children[NODE_FIRST_LEAF][NAME_LAST];
static inline enum node tree_child(enum node parent, enum name name)
{
    return parent < NODE_FIRST_LEAF ? (enum node)tree_children[parent][name] : NODE_SKIP;
}

/* TRUE where a node stands one level above its place in the standard. */
static inline gboolean tree_is_too_high(enum node node, enum node parent)
{
    if (parent == NODE_RECORD)
        return node == NODE_SOURCE_IP || node == NODE_COUNT || node == NODE_EVALUATED;
    return parent == NODE_METADATA && (node == NODE_BEGIN || node == NODE_END);
}

/* By enum name, as the standard spells it. */
extern const char *const tree_names[NAME_LAST];

/* The enum name of a local name that need not end in NUL, letter case and '-' for '_' forgiven; -1 when there
 * is none. *standard_r tells whether it is spelt as in the standard. */
int tree_name(const char *local, gsize length, gboolean *standard_r);

/* TRUE for names that are leaves wherever they stand ("dkim" and "spf" are not). */
gboolean tree_always_leaf(enum name name);

/* TRUE for text that is only read by people: cut when it is long, never refused. */
gboolean tree_is_prose(enum node leaf, enum node parent);
