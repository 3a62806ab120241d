#!/bin/bash
# Every fuzz harness over its seeds and over all that was ever found, without libFuzzer. A found file that is gone, or a
# harness without inputs, is a failure.
cd "$(dirname "$0")/../.." || exit 1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export G_SLICE=always-malloc G_DEBUG=fatal-criticals
tests/fuzz/seeds.py "$dir/seeds" || exit 1

harnesses=(tests/fuzz/fuzz_*.c)
echo "1..$((${#harnesses[@]} + 1))"
n=0
for source in "${harnesses[@]}"; do
    name=$(basename "$source" .c)
    name=${name#fuzz_}
    n=$((n + 1))
    inputs=()
    for directory in "$dir/seeds/$name" "tests/fuzz/found/$name"; do
        [ -d "$directory" ] && inputs+=("$directory")
    done
    wanted=$(find "${inputs[@]}" -type f | wc -l)
    done=$(timeout 100 "build/tests/replay_$name" "${inputs[@]}" 2>"$dir/err")
    if [ "$wanted" -gt 0 ] && [ "$done" = "$wanted" ]; then
        echo "ok $n - $name: $done inputs"
    else
        REPLAY_VERBOSE=1 timeout 100 "build/tests/replay_$name" "${inputs[@]}" 2>&1 | tail -n 5 | sed 's/^/# /'
        echo "not ok $n - $name: ${done:-none} of $wanted inputs"
    fi
done

# The replay itself must fail where a harness does.
printf 'x' >"$dir/file"
if build/tests/replay_text "$dir/none" >/dev/null 2>&1; then
    echo "not ok $((n + 1)) - a file that is not there is an error"
else
    echo "ok $((n + 1)) - a file that is not there is an error"
fi
