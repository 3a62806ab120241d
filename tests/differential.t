#!/usr/bin/python3
"""The streaming parser against an independent slow one, over the project's own reports, the sample corpus where it lies beside
the checkout, and reports that were changed or damaged at random: the same records, or both refuse. Of a document that is not
well-formed nothing may come out that is not in it.

DIFFERENTIAL: how many changed reports (10000); SEED: of the random generator.
"""
import codecs
import email
import glob
import gzip
import io
import os
import random
import re
import subprocess
import sys
import tempfile
import zipfile

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.dont_write_bytecode = True
sys.path.insert(0, "tests/lib")
import mutate  # noqa: E402
import slow_reader  # noqa: E402

CORPUS = "../shared/corpus/files"


# The program's reading.

def text(field):
    return None if field == "-" else codecs.escape_decode(field[1:])[0].decode()


def read_fast(documents):
    """For each document: status, code, reports."""
    frames = b"".join(b"%d\n%s" % (len(d), d) for d in documents)
    out = subprocess.run(["build/tests/parse_records"], input=frames, stdout=subprocess.PIPE, check=True).stdout
    outcomes, reports, open_report = [], [], None
    for line in out.decode().splitlines():
        kind, *fields = line.split("\t")
        if kind == "document":
            outcomes.append((fields[0], text(fields[1]), reports))
            reports = []
        elif kind == "report":
            open_report = {"domain": text(fields[0]), "id": text(fields[1]), "begin": int(fields[2]), "end": int(fields[3]),
                           "p": text(fields[4]), "sp": text(fields[5]), "records": []}
        elif kind == "record":
            open_report["records"].append(dict(zip(
                ("ip", "source", "count", "from", "envelope_from", "envelope_to", "disposition", "verdicts", "computed", "aligned"),
                (text(fields[0]), text(fields[1]), int(fields[2]), *map(text, fields[3:7]), (text(fields[7]), text(fields[8])),
                 fields[9] == "1", (fields[10] == "1", fields[11] == "1")), strict=True), dkim=[], spf=[], reasons=[]))
        elif kind in ("dkim", "spf"):
            open_report["records"][-1][kind].append(tuple(map(text, fields)))
        elif kind == "reason":
            open_report["records"][-1]["reasons"].append(tuple(map(text, fields[:2])))
        elif kind == "end":
            reports.append({**open_report, "seen": int(fields[0])})
    return outcomes


# The comparison.

def differing_verdicts(fast, slow):
    """Where the document has no verdict it follows from the alignment; a pass then has a passing result behind it."""
    for which, results, sent, ours, aligned in zip(("dkim", "spf"), (fast["dkim"], fast["spf"]), slow["verdicts"], fast["verdicts"],
                                                   fast["aligned"], strict=True):
        passing = [r for r in results if r[2] == "pass" and r[0]]
        if sent is not None and ours != sent:
            yield f"{which} verdict: {ours!r}, slow {sent!r}"
        if sent is None and (ours == "pass") != aligned:
            yield f"{which} verdict {ours!r} does not follow from the alignment"
        if aligned and not passing:
            yield f"{which} is aligned without a result that passed"
        same = [r for r in passing if r[0] == fast["from"] and (which == "dkim" or r[1] != "helo")]
        if which == "dkim" and same and not aligned and slow_reader.domain_name(fast["from"])[1]:
            yield "dkim passed for the From domain itself, and is not aligned"
    if fast["computed"] != (None in slow["verdicts"]):
        yield f"computed is {fast['computed']}, sent were {slow['verdicts']}"


def differences(fast, slow):
    for key in ("domain", "id", "begin", "end", "p", "sp", "seen"):
        if fast[key] != slow[key] and not (key in ("domain", "id") and slow[key] is None):
            yield f"{key}: {fast[key]!r}, slow {slow[key]!r}"
    if len(fast["records"]) != len(slow["records"]):
        yield f"{len(fast['records'])} records, slow {len(slow['records'])}"
    for number, (ours, theirs) in enumerate(zip(fast["records"], slow["records"]), 1):
        for key, value in theirs.items():
            if key != "verdicts" and ours[key] != value and not (key == "from" and value is None):
                yield f"record {number}: {key}: {ours[key]!r}, slow {value!r}"
        for line in differing_verdicts(ours, theirs):
            yield f"record {number}: {line}"


def passes(reports):
    """How often the program says pass where the document must have said it."""
    for record in (record for report in reports for record in report["records"]):
        yield from (1 for verdict in record["verdicts"] if verdict == "pass" and not record["computed"])
        yield from (1 for result in record["dkim"] + record["spf"] if result[2] == "pass")
        yield from (1 for word in [record["disposition"]] if word == "pass")


def written_passes(document):
    plain = document.replace(b"\0", b"")
    for code in re.findall(rb"&#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,6}));", plain):
        number = int(code[0], 16) if code[0] else int(code[1])
        token = b"&#x%s;" % code[0] if code[0] else b"&#%s;" % code[1]
        plain = plain.replace(token, bytes([number]) if number < 128 else b"?")
    plain = re.sub(rb"<!--.*?-->|<\?.*?\?>|<!\[CDATA\[|\]\]>", b"", plain, flags=re.S)
    return len(re.findall(rb"pass", plain, re.I))


def compare(document, outcome, base):
    """What is wrong, as lines; and what kind of document it was."""
    status, code, reports = outcome
    try:
        slow = slow_reader.read_document(document)
    except slow_reader.Refused as refused:
        wrong = [f"stored, slow refuses: {refused}"] if reports else []
        return wrong + ([f"refused with {code}, slow {refused}"] if code != str(refused) else []), "refused"
    except slow_reader.NotWellFormed:
        said, written = sum(passes(reports)), written_passes(document)
        wrong = [f"{said} times pass, of {written} in the text"] if said > written else []
        if base is not None and len(reports) == 1:
            whole = slow_reader.read_document(base)[0]
            whole["records"] = whole["records"][:len(reports[0]["records"])]
            whole["seen"] = reports[0]["seen"]
            wrong += [line for line in differences(reports[0], whole)
                      if not re.match("(domain|id|begin|end|p|sp): ", line)]
        return wrong, "not well-formed, " + ("read" if reports else "refused")
    if len(reports) != len(slow):
        return [f"{status} {code}: {len(reports)} reports, slow {len(slow)}"], "read"
    return [line for fast, other in zip(reports, slow) for line in differences(fast, other)], "read"


# The documents.

def attached(path):
    with open(path, "rb") as file:
        message = email.message_from_binary_file(file)
    for part in message.walk():
        data = part.get_payload(decode=True) or b""
        try:
            if data.startswith(b"PK"):
                with zipfile.ZipFile(io.BytesIO(data)) as archive:
                    yield from (archive.read(n) for n in archive.namelist())
            elif data.startswith(b"\x1f\x8b"):
                yield gzip.decompress(data)
            elif data.lstrip().startswith(b"<"):
                yield data
        except (EOFError, zipfile.BadZipFile):
            pass


def own():
    for path in sorted(glob.glob("docs/demo/mailbox/*.eml")):
        yield from attached(path)
    with tempfile.TemporaryDirectory() as made:
        subprocess.run(["bench/generate.py", "--out", made, "--reports", "40", "--truth", os.devnull], check=True)
        for path in sorted(glob.glob(f"{made}/**/*.eml", recursive=True)):
            yield from attached(path)


def corpus():
    for path in sorted(glob.glob(f"{CORPUS}/**/*.xml", recursive=True)):
        with open(path, "rb") as file:
            data = file.read()
        if 0 < len(data) <= 1_000_000:
            yield data


def shortened(document, most=6):
    """With fewer records, so that each change has a chance to matter."""
    root = slow_reader.ET.fromstring(document)
    for extra in [e for e in root if slow_reader.name(e) == "record"][most:]:
        root.remove(extra)
    return slow_reader.ET.tostring(root)


def changed(bases, number, seed):
    rng = random.Random(seed)
    for _ in range(number):
        base = rng.choice(bases)
        kind, document = mutate.mutate(rng, base)
        yield document, base if kind == "cut" else None


def check(number, title, documents):
    """Compares all, and prints a line of TAP."""
    outcomes = read_fast([d for d, _ in documents])
    kinds, complaints = {}, []
    for at, ((document, base), outcome) in enumerate(zip(documents, outcomes, strict=True)):
        wrong, kind = compare(document, outcome, base)
        kinds[kind] = kinds.get(kind, 0) + 1
        if wrong:
            complaints.append((at, document, wrong))
    told = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
    print(f"{'not ok' if complaints or not documents else 'ok'} {number} - {title}: {told}")
    for at, document, wrong in complaints[:10]:
        print(f"# document {at} of {len(complaints)} that differ: {'; '.join(wrong[:4])}")
        print(f"#   {ascii(document[:3000])}")
    if os.environ.get("KEEP"):
        for at, document, _ in complaints:
            with open(os.path.join(os.environ["KEEP"], f"{number}-{at}.xml"), "wb") as file:
                file.write(document)
    return not complaints and documents


def main():
    number, seed = int(os.environ.get("DIFFERENTIAL", "10000")), int(os.environ.get("SEED", "1"))
    print("1..3")
    whole = list(own())
    good = check(1, "own reports", [(d, None) for d in whole])
    bases = [shortened(d) for d in whole if read_fast([d])[0][0] == "ok" and b"</feedback>" in d]
    if os.path.isdir(CORPUS):
        good = check(2, "sample corpus", [(d, None) for d in corpus()]) and good
    else:
        print("ok 2 - sample corpus # SKIP it is not here")
    good = check(3, "changed and damaged reports", list(changed(bases, number, seed))) and good
    sys.exit(not good)


main()
