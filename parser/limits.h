/* Every bound of the program in one struct, with named defaults. Past a limit is always an error that
 * names it, never a quiet end. Sizes are bytes unless the name says otherwise. */
#pragma once

#include <glib.h>

struct limits {
    /* a mail */
    guint64 message_size;  /* the mail as it came; 100 MiB */
    guint64 original_size; /* an original that is kept, packed; 8 MiB */
    guint message_parts;   /* leaves of the MIME tree; 1,000 */
    guint message_depth;   /* nested multiparts and messages; 20 */
    guint message_headers; /* header lines of a mail or part; 2,000 */
    guint64 header_line;   /* one line of a header; 64 KiB */
    /* an attachment and what is packed in it */
    guint64 attachment_size;   /* decoded from base64 or quoted-printable, still packed; 64 MiB */
    guint64 unpacked_size;     /* one member; 1 GiB */
    guint64 unpacked_total;    /* all members of one mail together; 2 GiB */
    guint unpack_ratio;        /* unpacked : packed, looked at above unpack_ratio_from; 200 */
    guint64 unpack_ratio_from; /* 16 MiB */
    guint unpack_depth;        /* archive in archive; 3 */
    guint unpack_members;      /* members of one archive; 1,000 */
    /* an XML document */
    guint xml_depth;      /* nested elements; 32 */
    guint64 xml_tag;      /* bytes of one tag with its attributes; 64 KiB */
    guint xml_attributes; /* attributes and namespaces of one tag; 64 */
    guint xml_unknown;    /* distinct names in a document that we do not know, namespaces included; 256 */
    guint64 xml_repair;   /* documents up to this size get a second, repairing pass; 16 MiB */
    /* the other kinds of reports */
    guint64 failure_size; /* of a failure report, without the message that it is about; 1 MiB */
    guint64 json_size;    /* of a JSON document, which is in memory as a whole; 16 MiB */
    guint json_depth;     /* nested objects and arrays; 16 */
    guint json_values;    /* of a JSON document; 250,000 */
    /* a report */
    guint64 records;    /* 10,000,000 */
    guint text_length;  /* one text; longer ones are an error in the head of a report, and cut with a warning
                           in a record, from 1 KiB on in any case; 4 KiB */
    guint prose_length; /* human_result, comment, error, extra_contact_info: kept up to here; 1 KiB */
    guint auth_results; /* DKIM or SPF results or reasons of one record that are kept; 200 */
    guint head_wait;    /* records held back while policy or metadata has not come yet; 20,000 */
    guint report_seconds; /* wall time for one document; 600 */
    /* a worker process */
    guint worker_seconds; /* of CPU without an answer; 10 */
};

extern const struct limits limits_default;

/* Names, defaults and offsets for configuration ("limit_message_size" ...) and for the manual. */
struct limit_row {
    const char *name; /* "message_size" */
    gsize offset;
    gboolean wide; /* guint64, else guint */
    const char *meaning;
};
extern const struct limit_row limit_rows[]; /* ends with a row whose name is NULL */

/* Sets the named limit. FALSE when there is no such name. */
gboolean limits_set(struct limits *limits, const char *name, guint64 value);
