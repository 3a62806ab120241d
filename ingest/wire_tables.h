/* The structs that go over the wire. Internal to the wire. */
#pragma once

#include "ingest/journal.h"
#include "ingest/wire_fields.h"

/* The end of a TLS report, as struct tls_sink has it. */
struct wire_tls_end {
    guint n_warnings;
    const struct report_warning *warnings;
};

struct wire_warn {
    guint first;
    const char *code;
};

struct wire_gave_up {
    gboolean unread; /* WS_ERROR_INPUT */
    const char *message;
};

extern const struct wire_table wire_mail_auth, wire_report_head, wire_report_record, wire_report_tail,
    wire_tls_head, wire_tls_policy, wire_tls_failure, wire_tls_end_table, wire_failure_report,
    wire_ledger_document, wire_warn_table, wire_mail_end, wire_gave_up_table;
/* Parts of them. */
extern const struct wire_table wire_dkim_result, wire_spf_result, wire_override_reason, wire_report_warning,
    wire_tls_address;

enum wire_frame {
    FRAME_BROUGHT_BY = 1,
    FRAME_REPORT,
    FRAME_RECORD,
    FRAME_REPORT_END,
    FRAME_ABANDON,
    FRAME_TLS,
    FRAME_TLS_POLICY,
    FRAME_TLS_FAILURE,
    FRAME_TLS_END,
    FRAME_FAILURE,
    FRAME_DOCUMENT,
    FRAME_DROP,
    FRAME_WARN,
    FRAME_END,
    FRAME_GAVE_UP,
    FRAME_LAST
};
