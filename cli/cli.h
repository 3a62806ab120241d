/* The program: its arguments to a command, and an error to a message and an exit status. */
#pragma once

#include "cli/config.h"
#include "cli/options.h"

/* The exit status. */
int cli_main(char **argv);
/* The configuration as these options, the environment and the file have it now. As of config_load. */
gboolean cli_configure(const struct options *options, struct config *config, GError **error);
