/* The files of a run: each is written under another name and takes its own only when it is whole, so that a
 * reader never sees half of one, and a run that breaks off leaves the old ones. */
#pragma once

#include <glib.h>
#include <stdio.h>

struct html_file {
    FILE *out;
    char *path, *temporary;
};

/* Makes the directory, and those above it, where it is not there; takes away what a run that was killed left
 * in it more than an hour ago. WS_ERROR_SYSTEM. */
gboolean html_directory(const char *directory, GError **error);
/* WS_ERROR_SYSTEM. To be ended by html_file_commit or html_file_drop. */
gboolean html_file_open(struct html_file *file, const char *directory, const char *name, GError **error);
/* Closes it and gives it its name; when that fails, nothing is left of it. WS_ERROR_SYSTEM. */
gboolean html_file_commit(struct html_file *file, GError **error);
/* Leaves nothing of it. Does nothing after html_file_commit or when it was not opened. */
void html_file_drop(struct html_file *file);

/* The file of a domain's page, "example.com.html". A policy domain comes from reports, so from strangers:
 * what is no plain name, is too long for a file or would be the index, is called by its SHA-256, with a dot
 * at the end that no name has. Owned by the caller. */
char *html_file_name(const char *domain);
