#include "parser/limits.h"

#include <stddef.h>
#include <string.h>

#define KIB ((guint64)1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

const struct limits limits_default = {
    .message_size = 100 * MIB,
    .original_size = 8 * MIB,
    .message_parts = 1000,
    .message_depth = 20,
    .message_headers = 2000,
    .header_line = 64 * KIB,
    .attachment_size = 64 * MIB,
    .unpacked_size = 1 * GIB,
    .unpacked_total = 2 * GIB,
    .unpack_ratio = 200,
    .unpack_ratio_from = 16 * MIB,
    .unpack_depth = 3,
    .unpack_members = 1000,
    .xml_depth = 32,
    .xml_tag = 64 * KIB,
    .xml_attributes = 64,
    .xml_unknown = 256,
    .xml_repair = 16 * MIB,
    .failure_size = 1 * MIB,
    .json_size = 16 * MIB,
    .json_depth = 16,
    .json_values = 250000,
    .records = 10000000,
    .text_length = 4096,
    .prose_length = 1024,
    .auth_results = 200,
    .head_wait = 20000,
    .report_seconds = 600,
    .worker_seconds = 10,
};

#define WIDE(field, text)                                                                                    \
    {                                                                                                        \
#field, offsetof(struct limits, field), TRUE, text                                                   \
    }
#define NARROW(field, text)                                                                                  \
    {                                                                                                        \
#field, offsetof(struct limits, field), FALSE, text                                                  \
    }

const struct limit_row limit_rows[] = {
    WIDE(message_size, "bytes of a mail"),
    WIDE(original_size, "bytes of an original up to which it is kept, packed"),
    NARROW(message_parts, "leaves of a mail's MIME tree"),
    NARROW(message_depth, "multiparts and messages inside of each other"),
    NARROW(message_headers, "header lines of a mail or part"),
    WIDE(header_line, "bytes of one header line"),
    WIDE(attachment_size, "bytes of an attachment, still packed"),
    WIDE(unpacked_size, "bytes of one unpacked member"),
    WIDE(unpacked_total, "bytes of all unpacked members of a mail"),
    NARROW(unpack_ratio, "unpacked bytes for each packed one"),
    WIDE(unpack_ratio_from, "unpacked bytes above which the ratio is looked at"),
    NARROW(unpack_depth, "archives inside of each other"),
    NARROW(unpack_members, "members of an archive"),
    NARROW(xml_depth, "XML elements inside of each other"),
    WIDE(xml_tag, "bytes of an XML tag"),
    NARROW(xml_attributes, "attributes and namespaces of one XML tag"),
    NARROW(xml_unknown, "different unknown XML names of a document"),
    WIDE(xml_repair, "bytes of an XML document up to which it is repaired when it is broken"),
    WIDE(failure_size, "bytes of a failure report, without the message that it is about"),
    WIDE(json_size, "bytes of a JSON document"),
    NARROW(json_depth, "JSON objects and arrays inside of each other"),
    NARROW(json_values, "values of a JSON document"),
    WIDE(records, "records of a report"),
    NARROW(text_length, "bytes of a name, an identifier or a word"),
    NARROW(prose_length, "bytes of a comment that are kept"),
    NARROW(auth_results, "DKIM results, SPF results or reasons of a record that are kept"),
    NARROW(head_wait, "records that wait for the policy and the metadata of their report"),
    NARROW(report_seconds, "seconds for reading one document"),
    NARROW(worker_seconds, "seconds of CPU that a worker process may use without giving an answer"),
    {NULL, 0, FALSE, NULL},
};

gboolean limits_set(struct limits *limits, const char *name, guint64 value)
{
    for (const struct limit_row *row = limit_rows; row->name != NULL; row++) {
        if (strcmp(row->name, name) != 0)
            continue;
        char *field = (char *)limits + row->offset;
        guint narrow = (guint)MIN(value, (guint64)G_MAXUINT);
        if (row->wide)
            memcpy(field, &value, sizeof value);
        else
            memcpy(field, &narrow, sizeof narrow);
        return TRUE;
    }
    return FALSE;
}
