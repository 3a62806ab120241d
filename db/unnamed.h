/* Temporary files without a name: nothing is left behind however the program ends, and no program that is
 * started gets one. */
#pragma once

/* Open for reading and writing, on the file system of `directory`. -1 with errno. */
int unnamed_open(const char *directory);
