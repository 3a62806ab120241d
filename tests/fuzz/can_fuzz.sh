#!/bin/bash
# Whether FUZZ_CC (clang) can build with libFuzzer and the sanitizers; says on standard error what is missing.
cc=${FUZZ_CC:-clang}
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
if ! command -v "$cc" >/dev/null; then
    echo "fuzzing needs clang: $cc is not here (on Debian: apt-get install clang libclang-rt-dev)" >&2
    exit 1
fi
echo 'int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n); int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return d && n > 99; }' |
    "$cc" -fsanitize=fuzzer,address,undefined -x c -o "$out" - 2>/dev/null && exit 0
echo "fuzzing needs libFuzzer, which $cc does not have (on Debian: apt-get install libclang-rt-dev)" >&2
exit 1
