#!/bin/bash
# What parsing alone costs: mail bytes to records in one process, MIME and inflate included, beside one call of
# `xmllint --sax --noout` over the same documents, already unpacked. CPU seconds, and their ratio.
#
# usage: bench/parse.sh     SMALL: how many small reports (5000); HUGE: records of the large one (1000000); ROUNDS (3)
set -u
cd "$(dirname "$0")/.." || exit 1
. bench/lib.sh
small=${SMALL:-5000} records=${HUGE:-1000000}
command -v xmllint >/dev/null || die 'this needs xmllint (on Debian: apt-get install libxml2-utils)'
bench/generate.py --out "$dir/small/mails" --reports "$small" --truth "$dir/truth" || exit 1
huge "$records" "$dir/large"
for set in small large; do
    bench/unpack.py "$dir/$set/mails" --xml "$dir/$set/xml" || exit 1
done

# CPU seconds of a command, whose output goes to $dir/out.
cpu()
{
    tests/lib/measure.py "$dir/cost" "$@" >"$dir/out" 2>&1 || die "failed: ${*:1:8}" "$(head -n 20 "$dir/out")"
    awk '{ print $1 + $2 }' "$dir/cost"
}

# one_set SET NAME TARGET
one_set()
{
    local ours theirs round
    for ((round = 1; round <= rounds; round++)); do
        ours=$(cpu build/tests/parse_mails "$dir/$1/mails") || exit 1
        told=$(cat "$dir/out")
        theirs=$(cpu xmllint --sax --noout "$dir/$1"/xml/*) || exit 1
        note "$2: the parser" "$ours"
        note "$2: xmllint --sax --noout" "$theirs"
        note "$2: times xmllint" "$(calculate "$ours / $theirs")"
    done
    heading "$2: CPU seconds"
    show "$2: the parser" s
    show "$2: xmllint --sax --noout" s
    show "$2: times xmllint" times "$3"
    echo "  $told"
}
one_set small "parse $small reports" '<= 3.5'
one_set large "parse $records records" '<= 1.8'
