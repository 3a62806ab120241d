/* One value of the configuration: what it may be, and how it gets into its place. */
#pragma once

#include "cli/config.h"

/* Where a value stands: for messages, and for what it may be. */
struct place {
    enum config_origin origin;
    const char *name;      /* "'/etc/whosends/whosends.conf'", "WHOSENDS_IMAP_HOST", "--set" */
    const char *directory; /* of the file, else NULL */
    gboolean readable;     /* the file may be read by others */
};

/* Where a value goes. */
struct slot {
    const struct config_key *key;
    const char *group; /* as it is written: "imap archive" */
    void *base;        /* struct config or struct account */
    enum config_origin *origins;
};

/* Sets an error for a value that stands there. Always FALSE. */
gboolean config_refuse(GError **error, const struct place *place, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* An empty value is the default. WS_ERROR_CONFIG or WS_ERROR_USAGE, by the place. */
gboolean config_value_set(const struct slot *slot, const char *value, const struct place *place,
                          GError **error);
/* Both slots are of one key. */
void config_value_copy(const struct slot *to, const struct slot *from);
/* Wipes what may be a secret. */
void config_value_clear(const struct slot *slot);

/* Digits, and K, M or G for powers of 1024. */
gboolean config_parse_size(const char *value, guint64 most, guint64 *size_r);
/* Wipes and frees. */
void config_wipe(char *secret);
