#!/bin/bash
# The Makefile: what is compiled with which warnings and when it is compiled anew.
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
is "sanitizers warn of what cannot be" "$(make -n SANITIZE=address build-sanitize/parser/error.o -W parser/error.c | grep -c -e '-Wno-nonnull')" 1
finish
