/* Help and version, made from the tables. */
#pragma once

#include "cli/command.h"

void help_all(void);
void help_command(const struct command *command);
/* The keys of the configuration, with variables and defaults. */
void help_config(void);
/* A line for each option of each command, "NAME --option", and each key, "GROUP.KEY = DEFAULT": for tests and
 * completion. */
void help_table(void);
void help_version(void);
