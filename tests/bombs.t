#!/bin/bash
# Archives that unpack to 10 GB: each is one problem, found in less than two seconds and in bounded memory of every process.
# SECONDS_MOST: more on a machine that is slow or busy; they are processor seconds, beside twice as many of the clock.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib/postgres.sh
. tests/lib/whole.sh

limit=${LIMIT:-65536} most=${SECONDS_MOST:-2}
dir=$(mktemp -d)
trap 'pg_stop; rm -rf "$dir"' EXIT
chmod 755 "$dir"
mkdir "$dir/pg"
pg_start "$dir/pg" || exit 1
python3 - "$dir" <<'END' || exit 1
import base64
import gzip
import struct
import sys
import zlib

SIZE = 10 << 30
PIECE = bytes(1 << 20)


def deflated(size):
    """Zeros: after a full flush each mebibyte packs to the same bytes, which are packed once."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(PIECE) + packer.flush(zlib.Z_FULL_FLUSH)
    second = packer.compress(PIECE) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + second * (size // len(PIECE) - 1) + packer.flush(zlib.Z_FINISH)


def raw(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def gz(data, size):
    return b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + data + struct.pack("<II", 0, size & 0xFFFFFFFF)


def archive(name, data):
    """A zip with one member, of these packed bytes, whose size is said to be small."""
    head = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0x5000, 0, len(data), 4096, len(name), 0)
    member = b"PK\x03\x04" + head + name + data
    central = b"PK\x01\x02" + struct.pack("<H", 20) + head + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    return member + central + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(member), 0)


def streamed(name, data):
    """A zip whose sizes would come behind the data, and which ends there."""
    return b"PK\x03\x04" + struct.pack("<HHHHHIIIHH", 20, 8, 8, 0, 0x5000, 0, 0, 0, len(name), 0) + name + data


def mail(name, data):
    with open(f"{sys.argv[1]}/{name}.eml", "wb") as file:
        file.write(b"From: a@reporter.example\nSubject: Report domain: example.com\nMIME-Version: 1.0\n"
                   b"Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(data))


zeros = deflated(SIZE)
mail("zip", archive(b"report.xml", zeros))
mail("gzip", gz(zeros, SIZE))
mail("torn", streamed(b"report.xml", zeros))
opening = zlib.compressobj(9, zlib.DEFLATED, -15)
ole = opening.compress(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") + opening.flush(zlib.Z_FULL_FLUSH)
mail("refused", streamed(b"mail.msg", ole + zeros))
# A report that is small, whole and well-formed, with as many names in each record as are kept.
dkim = "".join(f"<dkim><domain>d{i}.v.example</domain><selector>s1</selector><result>pass</result></dkim>" for i in range(200))
spf = "".join(f"<spf><domain>em{i}.v.example</domain><scope>mfrom</scope><result>pass</result></spf>" for i in range(199))
records = "".join(f"<record><row><source_ip>192.0.2.{i}</source_ip><count>1</count></row><identifiers><header_from>v.example</header_from></identifiers>"
                  f"<auth_results>{dkim}{spf}<spf><domain>em{i + 1000}.v.example</domain><scope>mfrom</scope><result>pass</result></spf></auth_results>"
                  "</record>" for i in range(30))
def report(report_id, records):
    return gzip.compress(("<feedback><report_metadata><org_name>r.example</org_name><report_id>%s</report_id><date_range><begin>1790812800</begin>"
                          "<end>1790899199</end></date_range></report_metadata><policy_published><domain>v.example</domain><adkim>s</adkim>"
                          "<aspf>s</aspf><p>none</p></policy_published>%s</feedback>" % (report_id, records)).encode())


mail("names", report(1, records))
# Results far past those that are kept, beside a From of two long names.
mail("results", report(2, "<record><row><source_ip>192.0.2.1</source_ip><count>1</count></row><identifiers><header_from>" + "a." * 489
                       + "b, v.example</header_from></identifiers><auth_results>"
                       + "<dkim><domain>v.example</domain><result>pass</result></dkim><dkim/>" * 100000 + "</auth_results></record>"))
mail("nested", gzip.compress(archive(b"report.zip", raw(archive(b"report.xml", zeros))), 9))
END

for bomb in zip torn refused gzip nested; do
    for mode in --workers=1 --no-confine; do
        tests/lib/measure.py "$dir/cost" timeout 60 build/whosends --database "$PG_CONNINFO" ingest --quiet $mode "$dir/$bomb.eml" \
            >"$dir/out" 2>&1
        status=$?
        read -r user system elapsed peak <"$dir/cost"
        told=$(psql -X -A -t -c "SELECT outcome, (SELECT string_agg(DISTINCT concat_ws(' ', d.code, d.detail), ', ') FROM dmarc_store.document d
            WHERE d.message = m.id AND d.outcome = 'problem') FROM dmarc_store.message m WHERE source LIKE '%/$bomb.eml'" \
            -c "DELETE FROM dmarc_store.document" -c "DELETE FROM dmarc_store.message")
        [ $status = 65 ] && [[ $told == problem\|* && $told != *$'\n'problem* ]]
        ok $? "$bomb, $mode: one problem: $(head -n 1 <<<"$told" | cut -c 1-100)" "status $status: $told" "$dir/out"
        awk -v cpu="$user" -v kernel="$system" -v elapsed="$elapsed" -v most="$most" \
            'BEGIN { exit !(cpu + kernel < most && elapsed < 2 * most) }'
        ok $? "$bomb, $mode: in $elapsed s ($user + $system s of the processor)"
        [ "$peak" -lt "$limit" ]
        ok $? "$bomb, $mode: no process has more than $peak KiB"
    done
done
build/whosends --database "$PG_CONNINFO" init >"$dir/out" 2>&1
tests/lib/measure.py "$dir/cost" timeout 60 build/whosends --database "$PG_CONNINFO" ingest "$dir/names.eml" >"$dir/out" 2>&1
ok $? "thirty records with 400 names each are stored" '' "$dir/out"
read -r user system elapsed peak <"$dir/cost"
awk -v elapsed="$elapsed" -v most="$most" 'BEGIN { exit !(elapsed < most) }'
ok $? "... in $elapsed s, with their names looked up"
tests/lib/measure.py "$dir/cost" timeout 60 build/whosends --database "$PG_CONNINFO" ingest "$dir/results.eml" >"$dir/out" 2>&1
ok $? "a record with 200,000 results is stored" '' "$dir/out"
read -r user system elapsed peak <"$dir/cost"
[ "$peak" -lt 65536 ]
ok $? "... by processes of at most $peak KiB"
echo "1..$n"
exit $failed
