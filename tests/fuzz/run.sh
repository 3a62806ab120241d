#!/bin/bash
# Runs the fuzz harnesses that `make fuzz` has built: tests/fuzz/run.sh SECONDS [NAME]...
#
# Each runs SECONDS seconds, from its seeds and from what earlier runs found interesting (build-fuzz/corpus). An input that
# breaks something is left in build-fuzz/found/NAME/: shorten it (build-fuzz/fuzz_NAME -minimize_crash=1 -runs=100000 FILE),
# mend the cause, and put it into tests/fuzz/found/NAME/, where every test run replays it. FUZZ_SEED: where chance begins.
set -u
cd "$(dirname "$0")/../.." || exit 1
seconds=${1:?usage: tests/fuzz/run.sh SECONDS [NAME]...}
shift
[ $# -gt 0 ] || set -- $(basename -s .c tests/fuzz/fuzz_*.c | sed 's/^fuzz_//')

# GLib's own allocator would hide what ASan looks for, and a complaint of a library is a finding.
export G_SLICE=always-malloc G_DEBUG=fatal-criticals
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1
mkdir -p build-fuzz/seeds
tests/fuzz/seeds.py build-fuzz/seeds || exit 1
failed=0
printf '%-10s %10s %9s %7s  %s\n' harness inputs features peak found
for name; do
    corpus=build-fuzz/corpus/$name found=build-fuzz/found/$name log=build-fuzz/$name.log
    mkdir -p "$corpus" "$found"
    directories=("$corpus")
    for directory in build-fuzz/seeds/$name tests/fuzz/found/$name; do
        [ -d "$directory" ] && directories+=("$directory")
    done
    length=8192
    [ "$name" != message ] && [ "$name" != unpack ] || length=32768
    [ "$name" != text ] || length=300
    dictionary=() seed=${FUZZ_SEED:+-seed=$FUZZ_SEED}
    [ ! -e tests/fuzz/$name.dict ] || dictionary=(-dict=tests/fuzz/$name.dict)
    "build-fuzz/fuzz_$name" $seed -max_total_time="$seconds" -max_len=$length -timeout=20 -rss_limit_mb=1500 -print_final_stats=1 \
        -artifact_prefix="$found/" "${dictionary[@]}" "${directories[@]}" >"$log" 2>&1
    status=$?
    inputs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    features=$(sed -n 's/.* ft: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    peak=$(sed -n 's/^stat::peak_rss_mb: *//p' "$log")
    printf '%-10s %10s %9s %4s MB  %s\n' "$name" "${inputs:--}" "${features:--}" "${peak:--}" \
        "$([ $status = 0 ] && echo nothing || echo "see $log and $found/")"
    if [ $status != 0 ]; then
        failed=1
        grep -a -m 12 -E 'ERROR|SUMMARY|does not hold|none of|runtime error|CRITICAL|ALARM|^    #[0-9] ' "$log" | sed 's/^/    /'
    fi
done
exit $failed
