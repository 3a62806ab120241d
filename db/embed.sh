#!/bin/sh
# Prints a C file that holds the named SQL and CSV files as strings: db/embed.sh FILE... >sql_files.c
# Needs nothing but sh and sed. "?" is escaped because -std=c11 still knows trigraphs.
set -eu
export LC_ALL=C
tab=$(printf '\t') cr=$(printf '\r')

echo '#include "db/schema_files.h"'
echo '#include <stddef.h>'
echo 'const struct sql_file sql_files[] = {'
for file; do
    test -r "$file" || { echo "db/embed.sh: cannot read $file" >&2; exit 1; }
    printf '    {"%s",\n' "${file##*/}"
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/?/\\?/g' -e "s/$tab/\\\\t/g" -e "s/$cr/\\\\r/g" -e 's/^/"/' -e 's/$/\\n"/' "$file"
    # An empty file leaves nothing between the commas.
    echo '     ""},'
done
echo '    {NULL, NULL},'
echo '};'
