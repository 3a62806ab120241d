/* The program: its arguments to a command, and an error to a message and an exit status. */
#pragma once

/* The exit status. */
int cli_main(char **argv);
