#!/bin/bash
# The Makefile: what is compiled with which warnings and when it is compiled anew, and that what is installed can go again.
. tests/lib/cli.sh
unset MAKEFLAGS MAKELEVEL MFLAGS

# A compiler that notes how it was called, and makes an empty file.
cat >"$dir/cc" <<'CC'
#!/bin/sh
echo "$*" >>"$(dirname "$0")/called"
while test "$1" != -o; do shift; done
: >"$2"
CC
chmod +x "$dir/cc"
# compiled TITLE WANTED GOAL ARGUMENT...: how often the compiler was called, and the word of its flags that begins with -Werror
compiled() {
    local title=$1 wanted=$2 goal=$3
    shift 3
    sleep 0.02 # for other times of the files
    : >"$dir/called"
    make -s B="$dir/b" CC="$dir/cc" "$dir/b/$goal" "$@" >"$dir/out" 2>&1 || cat "$dir/out"
    is "$title" "$(wc -l <"$dir/called")$(grep -o -m 1 -e ' -Werror' "$dir/called")" "$wanted"
}
compiled "a warning is no error" 1 parser/error.o
compiled "what is made is not made again" 0 parser/error.o
compiled "for the tests it is one, also in what was made before" "1 -Werror" parser/error.o STRICT=1
compiled "and once is enough" 0 parser/error.o STRICT=1
compiled "for all" 0 parser/error.o
compiled "until something is made without it" 1 parser/error.o -W parser/error.c
compiled "then it is made again" "1 -Werror" parser/error.o STRICT=1
compiled "what is made of files that are made" 1 db/sql_files.o
is "sanitizers warn of what cannot be" "$(make -n SANITIZE=address build-sanitize/parser/error.o -W parser/error.c | grep -c -e '-Wno-nonnull')" 1

for pair in db/sql_files.o:db/schema_files.h reports/page_css.o:reports/html_page.h; do
    is "${pair%:*} is made anew with ${pair#*:}" "$(make -n "build/${pair%:*}" -W "${pair#*:}" | grep -c -e ' -c -o ')" 1
done

mkdir -p "$dir/root/usr/local/share/man/man1" && : >"$dir/root/usr/local/share/man/man1/other.1"
make -s install DESTDIR="$dir/root" >"$dir/out" 2>&1
is "all is installed" "$?" 0
is "the program, its manual pages and what is to be read" "$(find "$dir/root" -type f ! -name other.1 | wc -l)" \
    "$(($(ls docs/*.scd | wc -l) + 3))"
make -s uninstall DESTDIR="$dir/root" >"$dir/out" 2>&1
is "and goes again" "$? $(cd "$dir/root" && find . -type f)" "0 ./usr/local/share/man/man1/other.1"
is "with the directories of its own" "$(find "$dir/root" -name '*whosends*' -o -name citus)" ""
make -s uninstall DESTDIR="$dir/root" >"$dir/out" 2>&1
is "which may be done twice" "$? $(cat "$dir/out")" "0 "
finish
