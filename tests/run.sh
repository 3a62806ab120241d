#!/bin/bash
# Runs the tests through prove: tests/run.sh [NAME]...
#
# Every build/tests/*.t (unit tests) and tests/**/*.t; with NAMEs those whose path holds one of them. The ones that start
# servers come first, so that the short ones fill the gaps. JOBS: how many at once (2); TEST_TIMEOUT: seconds for one (300).
set -u
cd "$(dirname "$0")/.." || exit 1

tests=()
for file in tests/*.t tests/{imap,db,cli}/*.t tests/*/*.t build/tests/*.t; do
    [ -f "$file" ] && [[ " ${tests[*]} " != *" $file "* ]] || continue
    if [ $# -gt 0 ]; then
        wanted=
        for name; do
            [[ $file == *"$name"* ]] && wanted=1
        done
        [ -n "$wanted" ] || continue
    fi
    tests+=("$file")
done
if [ ${#tests[@]} = 0 ]; then
    echo "no test${*:+ with a name like $*} (the unit tests are built by: make tests)" >&2
    exit 1
fi
exec prove --timer -j "${JOBS:-2}" -e tests/lib/one.sh "${tests[@]}"
