#!/bin/sh
# Prints a C file that holds the named SQL and CSV files as strings: db/embed.sh FILE... >sql_files.c
# Or one file as the string NAME, which HEADER declares: db/embed.sh --string NAME HEADER FILE >name.c
# Needs nothing but sh and sed. "?" is escaped because -std=c11 still knows trigraphs.
set -eu
export LC_ALL=C
tab=$(printf '\t') cr=$(printf '\r')

literal() {
    test -r "$1" || { echo "db/embed.sh: cannot read $1" >&2; exit 1; }
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/?/\\?/g' -e "s/$tab/\\\\t/g" -e "s/$cr/\\\\r/g" -e 's/^/"/' -e 's/$/\\n"/' "$1"
}

if test "$1" = --string; then
    printf '#include "%s"\nconst char %s[] =\n' "$3" "$2"
    literal "$4"
    echo '    "";'
    exit
fi

echo '#include "db/schema_files.h"'
echo '#include <stddef.h>'
echo 'const struct sql_file sql_files[] = {'
for file; do
    printf '    {"%s",\n' "${file##*/}"
    literal "$file"
    # An empty file leaves nothing between the commas.
    echo '     ""},'
done
echo '    {NULL, NULL},'
echo '};'
