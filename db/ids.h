/* Numbers from a sequence, asked for in growing packs: one mail from a pipe takes one, an archive takes
 * hundreds. Internal to the writer. */
#pragma once

#include "db/conn.h"

struct ids {
    const char *sql; /* $1: how many */
    GArray *numbers;
    guint next, pack;
};

void ids_init(struct ids *ids, const char *sql);
void ids_clear(struct ids *ids);
gboolean ids_take(struct ids *ids, struct db *db, gint64 *id_r, GError **error);
