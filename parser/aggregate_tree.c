#include "parser/aggregate_tree.h"

#include <string.h>

const char *const tree_names[NAME_LAST] = {
    [NAME_FEEDBACK] = "feedback",
    [NAME_VERSION] = "version",
    [NAME_REPORT_METADATA] = "report_metadata",
    [NAME_ORG_NAME] = "org_name",
    [NAME_EMAIL] = "email",
    [NAME_EXTRA_CONTACT_INFO] = "extra_contact_info",
    [NAME_REPORT_ID] = "report_id",
    [NAME_DATE_RANGE] = "date_range",
    [NAME_BEGIN] = "begin",
    [NAME_END] = "end",
    [NAME_ERROR] = "error",
    [NAME_GENERATOR] = "generator",
    [NAME_POLICY_PUBLISHED] = "policy_published",
    [NAME_DOMAIN] = "domain",
    [NAME_ADKIM] = "adkim",
    [NAME_ASPF] = "aspf",
    [NAME_P] = "p",
    [NAME_SP] = "sp",
    [NAME_NP] = "np",
    [NAME_PCT] = "pct",
    [NAME_FO] = "fo",
    [NAME_TESTING] = "testing",
    [NAME_DISCOVERY_METHOD] = "discovery_method",
    [NAME_EXTENSION] = "extension",
    [NAME_EXTENSIONS] = "extensions",
    [NAME_RECORDS] = "records",
    [NAME_RECORD] = "record",
    [NAME_ROW] = "row",
    [NAME_SOURCE_IP] = "source_ip",
    [NAME_COUNT] = "count",
    [NAME_POLICY_EVALUATED] = "policy_evaluated",
    [NAME_DISPOSITION] = "disposition",
    [NAME_DKIM] = "dkim",
    [NAME_SPF] = "spf",
    [NAME_REASON] = "reason",
    [NAME_TYPE] = "type",
    [NAME_COMMENT] = "comment",
    [NAME_IDENTIFIERS] = "identifiers",
    [NAME_IDENTITIES] = "identities",
    [NAME_ENVELOPE_TO] = "envelope_to",
    [NAME_ENVELOPE_FROM] = "envelope_from",
    [NAME_HEADER_FROM] = "header_from",
    [NAME_AUTH_RESULTS] = "auth_results",
    [NAME_SELECTOR] = "selector",
    [NAME_SCOPE] = "scope",
    [NAME_RESULT] = "result",
    [NAME_HUMAN_RESULT] = "human_result",
};

const guint8 tree_children[NODE_FIRST_LEAF][NAME_LAST] = {
    [NODE_WRAPPER] = {[NAME_FEEDBACK] = NODE_FEEDBACK},
    [NODE_FEEDBACK] = {[NAME_VERSION] = NODE_VERSION,
                       [NAME_REPORT_METADATA] = NODE_METADATA,
                       [NAME_POLICY_PUBLISHED] = NODE_POLICY,
                       [NAME_EXTENSION] = NODE_EXTENSION,
                       [NAME_EXTENSIONS] = NODE_EXTENSION,
                       [NAME_RECORDS] = NODE_RECORDS,
                       [NAME_RECORD] = NODE_RECORD},
    [NODE_RECORDS] = {[NAME_RECORD] = NODE_RECORD},
    [NODE_METADATA] = {[NAME_ORG_NAME] = NODE_ORG_NAME,
                       [NAME_EMAIL] = NODE_EMAIL,
                       [NAME_EXTRA_CONTACT_INFO] = NODE_CONTACT,
                       [NAME_REPORT_ID] = NODE_REPORT_ID,
                       [NAME_DATE_RANGE] = NODE_DATE_RANGE,
                       [NAME_ERROR] = NODE_ERROR,
                       [NAME_GENERATOR] = NODE_GENERATOR,
                       /* of no standard */
                       [NAME_BEGIN] = NODE_BEGIN,
                       [NAME_END] = NODE_END},
    [NODE_DATE_RANGE] = {[NAME_BEGIN] = NODE_BEGIN, [NAME_END] = NODE_END},
    [NODE_POLICY] = {[NAME_DOMAIN] = NODE_DOMAIN,
                     [NAME_ADKIM] = NODE_ADKIM,
                     [NAME_ASPF] = NODE_ASPF,
                     [NAME_P] = NODE_P,
                     [NAME_SP] = NODE_SP,
                     [NAME_NP] = NODE_NP,
                     [NAME_PCT] = NODE_PCT,
                     [NAME_FO] = NODE_FO,
                     [NAME_TESTING] = NODE_TESTING,
                     [NAME_DISCOVERY_METHOD] = NODE_DISCOVERY},
    [NODE_RECORD] = {[NAME_ROW] = NODE_ROW,
                     [NAME_IDENTIFIERS] = NODE_IDENTIFIERS,
                     [NAME_IDENTITIES] = NODE_IDENTIFIERS,
                     [NAME_AUTH_RESULTS] = NODE_AUTH,
                     /* of no standard */
                     [NAME_SOURCE_IP] = NODE_SOURCE_IP,
                     [NAME_COUNT] = NODE_COUNT,
                     [NAME_POLICY_EVALUATED] = NODE_EVALUATED},
    [NODE_ROW] = {[NAME_SOURCE_IP] = NODE_SOURCE_IP,
                  [NAME_COUNT] = NODE_COUNT,
                  [NAME_POLICY_EVALUATED] = NODE_EVALUATED,
                  /* of no standard */
                  [NAME_IDENTIFIERS] = NODE_IDENTIFIERS,
                  [NAME_AUTH_RESULTS] = NODE_AUTH},
    [NODE_EVALUATED] = {[NAME_DISPOSITION] = NODE_DISPOSITION,
                        [NAME_DKIM] = NODE_PE_DKIM,
                        [NAME_SPF] = NODE_PE_SPF,
                        [NAME_REASON] = NODE_REASON},
    [NODE_REASON] = {[NAME_TYPE] = NODE_ENTRY_0, [NAME_COMMENT] = NODE_ENTRY_1},
    [NODE_IDENTIFIERS] = {[NAME_HEADER_FROM] = NODE_HEADER_FROM,
                          [NAME_ENVELOPE_FROM] = NODE_ENVELOPE_FROM,
                          [NAME_ENVELOPE_TO] = NODE_ENVELOPE_TO},
    [NODE_AUTH] = {[NAME_DKIM] = NODE_DKIM, [NAME_SPF] = NODE_SPF},
    [NODE_DKIM] = {[NAME_DOMAIN] = NODE_ENTRY_0,
                   [NAME_SELECTOR] = NODE_ENTRY_1,
                   [NAME_RESULT] = NODE_ENTRY_2,
                   [NAME_HUMAN_RESULT] = NODE_ENTRY_3},
    [NODE_SPF] = {[NAME_DOMAIN] = NODE_ENTRY_0,
                  [NAME_SCOPE] = NODE_ENTRY_1,
                  [NAME_RESULT] = NODE_ENTRY_2,
                  [NAME_HUMAN_RESULT] = NODE_ENTRY_3},
};

static gboolean same_name(const char *standard, const char *local, gsize length)
{
    for (gsize i = 0; i < length; i++) {
        char c = local[i] == '-' ? '_' : g_ascii_tolower(local[i]);
        if (c != standard[i])
            return FALSE;
    }
    return standard[length] == '\0';
}

int tree_name(const char *local, gsize length, gboolean *standard_r)
{
    for (int i = 0; i < NAME_LAST; i++) {
        if (!same_name(tree_names[i], local, length))
            continue;
        *standard_r = strncmp(tree_names[i], local, length) == 0;
        return i;
    }
    *standard_r = FALSE;
    return -1;
}

gboolean tree_always_leaf(enum name name)
{
    switch (name) {
    case NAME_FEEDBACK:
    case NAME_REPORT_METADATA:
    case NAME_DATE_RANGE:
    case NAME_POLICY_PUBLISHED:
    case NAME_EXTENSION:
    case NAME_EXTENSIONS:
    case NAME_RECORDS:
    case NAME_RECORD:
    case NAME_ROW:
    case NAME_POLICY_EVALUATED:
    case NAME_DKIM:
    case NAME_SPF:
    case NAME_REASON:
    case NAME_IDENTIFIERS:
    case NAME_IDENTITIES:
    case NAME_AUTH_RESULTS:
        return FALSE;
    default:
        return name < NAME_LAST;
    }
}

gboolean tree_is_prose(enum node leaf, enum node parent)
{
    return leaf == NODE_CONTACT || leaf == NODE_ERROR || leaf == NODE_ENTRY_3 ||
           (leaf == NODE_ENTRY_1 && parent == NODE_REASON);
}
