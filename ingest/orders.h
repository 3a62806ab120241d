/* What a worker process is told to do: once how to read mails, then one mail after the other. Frames as in
 * ingest/wire.h; the bytes of a mail in memory follow its order, the file of one that is in a file comes as a
 * descriptor (SCM_RIGHTS) together with the order's first byte.
 *
 * The orders come from the process that started the worker; they are bounded, but not disbelieved. */
#pragma once

#include "ingest/journey.h"

/* Appends how to read mails: what journey_tell needs of the settings, but the list of suffixes and the
 * parser. First of all orders. */
void orders_add_settings(GByteArray *out, const struct run_settings *settings);
/* Appends a mail that has a body, with its bytes if they are in memory. Returns the descriptor that has to be
 * sent with the first byte of it, which the mail's body lends; -1 for none. */
int orders_add_mail(GByteArray *out, const struct mail *mail);

/* Settings as they came, with all that they point to. A zeroed struct is an empty one. */
struct orders_settings {
    struct run_settings run;
    struct limits limits;
    struct writer_settings writer;
    struct trust_rules trust;
};
void orders_settings_clear(struct orders_settings *settings);

enum orders_status {
    ORDERS_MORE, /* the bytes hold no whole order yet */
    ORDERS_SETTINGS,
    ORDERS_MAIL,
    ORDERS_BROKEN, /* no order at all: *error */
};

/* A mail that was ordered. */
struct orders_mail {
    const char *name; /* or NULL; points into the bytes */
    gboolean may_be_bare;
    gboolean in_file; /* of the descriptor that came with the order, at this offset; else in the bytes */
    guint64 offset, size;
    const guint8 *bytes;
};

/* Takes one order from the bytes: *used_r of them. Fills the settings or the mail. */
enum orders_status orders_take(const guint8 *bytes, gsize n, gsize *used_r, struct orders_settings *settings,
                               const struct domain_list *suffixes, struct orders_mail *mail_r,
                               GError **error);
