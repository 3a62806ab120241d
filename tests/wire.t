#!/bin/bash
# What a worker tells of a mail over the wire is what the journey tells directly: sample mails, generated ones, all deviations,
# the seeds of the fuzz harnesses, and mails that pass a limit, under that limit.
cd "$(dirname "$0")/.." || exit 1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
tool=$PWD/build/tests/wire_mails
mkdir "$dir/mails"
tests/lib/deviation_mails.py "$dir/deviations" >/dev/null && tests/lib/limit_mails.py "$dir/limits" >"$dir/rows" &&
    tests/fuzz/seeds.py "$dir/seeds" >/dev/null && bench/generate.py --out "$dir/generated" --truth "$dir/truth" --reports 40 || exit 1

echo 1..6
n=0
told() { # NAME LEAST ARGUMENT...
    local name=$1 least=$2 mails
    shift 2
    n=$((n + 1))
    out=$("$tool" "$@" 2>&1)
    mails=$(sed -n 's/^\([0-9]*\) mails, .*/\1/p' <<<"$out")
    if [ "${mails:-0}" -ge "$least" ]; then
        echo "ok $n - $name: $out"
    else
        echo "not ok $n - $name"
        sed 's/^/# /' <<<"$out"
    fi
}
told samples 19 docs/demo/mailbox
told generated 40 "$dir/generated"
told deviations 100 "$dir/deviations"
told seeds 200 "$dir/seeds/message" "$dir/seeds/unpack" "$dir/seeds/failure" "$dir/seeds/tls" "$dir/seeds/aggregate"
told "short texts" 19 text_length=12 prose_length=5 auth_results=1 docs/demo/mailbox

# Each limit's own mail, and every other one beside it.
n=$((n + 1))
lines=0
while IFS=$'\t' read -r name limit _; do
    "$tool" "$limit" "$dir/limits/lowered/$name.eml" docs/demo/mailbox/01* >"$dir/out" 2>&1 || { echo "not ok $n - $limit"; sed 's/^/# /' "$dir/out"; exit 1; }
    lines=$((lines + 1))
done <"$dir/rows"
[ "$lines" -ge 20 ] && echo "ok $n - $lines limits" || echo "not ok $n - $lines limits"
