#!/bin/bash
# The C sources are formatted as .clang-format says. Other major versions of clang-format disagree in places, so only
# the one that the sources were formatted with is asked.
version=$(clang-format --version 2>/dev/null | sed -n 's/.*version \([0-9]*\).*/\1/p')
if [ "$version" != 14 ]; then
    echo "1..0 # SKIP clang-format 14 is not here"
    exit 0
fi
sources=(*/*.[ch] tests/*/*.[ch])
echo "1..1"
if wrong=$(clang-format --dry-run --Werror --ferror-limit=1 "${sources[@]}" 2>&1); then
    echo "ok 1 - formatted: ${#sources[@]} files"
else
    echo "not ok 1 - formatted"
    grep 'error:' <<<"$wrong" | sed 's/^/# /'
    exit 1
fi
