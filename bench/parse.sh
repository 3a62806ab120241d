#!/bin/bash
# What parsing alone costs: mail bytes to records in one process, MIME and inflate included, beside one call of
# `xmllint --sax --noout` over the same documents, already unpacked. CPU seconds, and their ratio.
#
# usage: bench/parse.sh     SMALL: how many small reports (5000); RECORDS: of the large one (1000000); ROUNDS (3)
set -u
cd "$(dirname "$0")/.." || exit 1
small=${SMALL:-5000} records=${RECORDS:-1000000} rounds=${ROUNDS:-3}
if ! command -v xmllint >/dev/null; then
    echo 'this needs xmllint (on Debian: apt-get install libxml2-utils)' >&2
    exit 1
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

bench/generate.py --out "$dir/mails" --reports "$small" --truth "$dir/truth" || exit 1
mkdir "$dir/documents" "$dir/large" "$dir/large-documents"
python3 - "$dir" <<'END' || exit 1
import email, glob, gzip, io, sys, zipfile
for number, path in enumerate(sorted(glob.glob(sys.argv[1] + "/mails/*"))):
    for part in email.message_from_binary_file(open(path, "rb")).walk():
        data = part.get_payload(decode=True) or b""
        if data.startswith(b"PK"):
            archive = zipfile.ZipFile(io.BytesIO(data))
            data = archive.read(archive.namelist()[0])
        elif data.startswith(b"\x1f\x8b"):
            data = gzip.decompress(data)
        if data.lstrip().startswith(b"<"):
            open(f"{sys.argv[1]}/documents/{number}.xml", "wb").write(data)
END
bench/generate.py --xml "$dir/large-documents/report.xml" --fixed "$records" --truth "$dir/truth" || exit 1
{
    printf '%s\n' 'From: noreply@reporter.example' 'Subject: Report domain: example.com' 'MIME-Version: 1.0' \
        'Content-Type: application/gzip' 'Content-Transfer-Encoding: base64' ''
    gzip -c "$dir/large-documents/report.xml" | base64
} >"$dir/large/report.eml"

# CPU seconds of a command, whose output goes to $dir/out.
cpu()
{
    TIMEFORMAT='%U %S'
    { time "$@" >"$dir/out" 2>&1; } 2>&1 | awk '{ print $1 + $2 }'
}

printf '%-20s %5s %12s %12s %7s %8s\n' documents round parser xmllint ratio target
for kind in small large; do
    [ $kind = small ] && mails=$dir/mails documents=$dir/documents target=3.5 name="$small reports"
    [ $kind = large ] && mails=$dir/large documents=$dir/large-documents target=1.8 name="$records records"
    for ((round = 1; round <= rounds; round++)); do
        ours=$(cpu build/tests/parse_mails "$mails")
        told=$(cat "$dir/out")
        theirs=$(cpu xmllint --sax --noout "$documents"/*)
        awk -v name="$name" -v round=$round -v a="$ours" -v b="$theirs" -v target=$target \
            'BEGIN { printf "%-20s %5d %10.3f s %10.3f s %7.2f %8s\n", name, round, a, b, a / b, "<= " target }'
    done
    echo "  $told"
done
