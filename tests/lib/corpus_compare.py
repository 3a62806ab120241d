#!/usr/bin/python3
"""Compares what the database holds of the sample corpus with the corpus's own table of expectations.

usage: corpus_compare.py CORPUS-DIRECTORY        (the database: PGHOST and so on, through psql)

Prints TAP. Where a report says something that cannot be taken as it stands, the program follows a written rule, and so
does this script, by looking at the document itself; no file is known to it by name.
"""
import collections
import csv
import email
import gzip
import importlib.util
import json
import os
import re
import subprocess
import sys
import types
import xml.etree.ElementTree as ET

csv.field_size_limit(1 << 30)


def query(sql):
    out = subprocess.run(["psql", "-X", "-q", "--csv", "-v", "ON_ERROR_STOP=1", "-c", sql], check=True, stdout=subprocess.PIPE)
    return list(csv.DictReader(out.stdout.decode().splitlines(keepends=True)))


def load_expected(corpus):
    """The rows of expected.tsv, and the documents by their SHA-256, unpacked by the corpus's own script."""
    sys.dont_write_bytecode = True
    # Its second XML parser is for damaged documents, which are not read here.
    sys.modules.setdefault("lxml", types.SimpleNamespace(etree=None))
    spec = importlib.util.spec_from_file_location("expected", os.path.join(corpus, "expected.py"))
    expected = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(expected)
    with open(os.path.join(corpus, "expected.tsv"), encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    documents = {}
    for name in {row["file"] for row in rows if row["parser"] == "etree"}:
        with open(os.path.join(corpus, name), "rb") as file:
            for leaf in expected.unpack(file.read(), os.path.basename(name)):
                documents[expected.hashlib.sha256(leaf.data).hexdigest()] = leaf.data
    return rows, documents


# Our own reading of a well-formed document, by the rules.

def name(element):
    return element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else ""


def child(element, *path):
    for step in path:
        element = next((c for c in element if name(c) == step), None) if element is not None else None
    return element


def text(element, *path):
    found = child(element, *path)
    return "" if found is None else "".join(found.itertext()).strip()


def whole(value):
    return int(value) if re.fullmatch(r"[+-]?\d+", value) else None


def count_of(row):
    """A missing count, and one that is no number, is one message; a record with a negative count is left out."""
    number = whole(text(row, "count"))
    return 1 if number is None else number


def is_null(record):
    """A record of nothing: no address and no messages."""
    return text(record, "row", "source_ip") == "" and whole(text(record, "row", "count")) == 0


def by_rules(document):
    """What has to be stored of it; None when it has to be refused."""
    root = ET.fromstring(document)
    feedback = root if name(root) == "feedback" else next(e for e in root.iter() if name(e) == "feedback")
    records = [e for e in feedback if name(e) == "record"]
    kept = [r for r in records if not is_null(r) and count_of(child(r, "row")) >= 0]
    figures = dict.fromkeys(("sum", "dkim", "spf", "either"), 0)
    for record in kept:
        row = child(record, "row")
        count = count_of(row)
        figures["sum"] += count
        dkim, spf = (text(row, "policy_evaluated", which).lower() for which in ("dkim", "spf"))
        if dkim and spf:  # else the verdicts are ours, and are left out on both sides
            figures["dkim"] += count * (dkim == "pass")
            figures["spf"] += count * (spf == "pass")
            figures["either"] += count * ("pass" in (dkim, spf))
    begin, end = (text(feedback, "report_metadata", "date_range", which) for which in ("begin", "end"))
    domain = text(feedback, "policy_published", "domain").lower().rstrip(".")
    report_id = re.sub(r"^<(.*)>$", r"\1", text(feedback, "report_metadata", "report_id"))
    return {"report_id": report_id, "domain": domain, "begin": whole(begin), "end": whole(end), "records": len(records), **figures}


def refusal(document):
    """Why a well-formed document is refused all the same; None when it has to be stored."""
    if re.search(rb"<!DOCTYPE", document):
        return "doctype"
    facts = by_rules(document)
    if facts["begin"] is None and facts["end"] is None:
        return "no_period"
    if not facts["domain"] and b"header_from" not in document:
        return "no_domain"
    return None


REPORTS = """
SELECT r.id, r.domain, r.report_id, extract(epoch FROM r.period_begin)::bigint AS begin, extract(epoch FROM r.period_end)::bigint AS end,
       r.records_seen AS records, coalesce(s.sum, 0) AS sum, coalesce(s.dkim, 0) AS dkim, coalesce(s.spf, 0) AS spf,
       coalesce(s.either, 0) AS either
FROM dmarc_store.report r
LEFT JOIN (SELECT report, sum(message_count) AS sum,
                  sum(message_count) FILTER (WHERE NOT verdict_computed AND dkim_verdict = 'pass') AS dkim,
                  sum(message_count) FILTER (WHERE NOT verdict_computed AND spf_verdict = 'pass') AS spf,
                  sum(message_count) FILTER (WHERE NOT verdict_computed AND 'pass' IN (dkim_verdict, spf_verdict)) AS either
           FROM dmarc.record GROUP BY report) s ON s.report = r.id
"""
LEDGER = """
SELECT m.id, m.source, m.outcome AS mail, m.code AS mail_code, m.size, d.ordinal, encode(d.sha256, 'hex') AS sha256,
       d.outcome, d.code, d.report
FROM dmarc_store.message m LEFT JOIN dmarc_store.document d ON d.mail_sha256 = m.sha256 AND d.message = m.id
"""


def differences(stored, wanted):
    for key, value in wanted.items():
        if value in (None, ""):
            continue  # the report does not say it: what stands there then has tests of its own
        if str(stored[key]) != str(value):
            yield f"{key}: stored {stored[key]!r}, expected {value!r}"


def check_reports(rows, documents, ledger, reports):
    """Every report of a well-formed document is stored, with equal figures."""
    by_hash = collections.defaultdict(list)
    for line in ledger:
        if line["sha256"]:
            by_hash[line["sha256"]].append(line)
    wrong, equal, refused = [], 0, 0
    for row in rows:
        if row["parser"] != "etree":
            continue
        document = documents[row["xml_sha256"]]
        lines = by_hash[row["xml_sha256"]]
        stored = [reports[line["report"]] for line in lines if line["report"] in reports]
        why = refusal(document)
        if why and not stored:
            if any(line["code"] == why for line in lines):
                refused += 1
            else:
                wrong.append(f"{row['file']}: should be refused with {why}, has {[line['code'] for line in lines]}")
        elif not stored:
            wrong.append(f"{row['file']}: not stored ({[(line['outcome'], line['code']) for line in lines]})")
        else:
            found = list(differences(stored[0], by_rules(document)))
            if found:
                wrong.append(f"{row['file']}: {'; '.join(found)}")
            else:
                equal += 1
    return wrong, equal, refused


def check_own_reading(rows, documents):
    """Where no rule applies, our own reading is that of the table: else the comparison above is worth nothing."""
    wrong = []
    for row in rows:
        if row["parser"] == "etree" and "count" not in row["notes"]:
            facts = by_rules(documents[row["xml_sha256"]])
            for ours, theirs in (("report_id", "report_id"), ("records", "records"), ("sum", "sum_count"), ("dkim", "dkim_pass"),
                                 ("spf", "spf_pass"), ("either", "either_pass")):
                if str(facts[ours]) != row[theirs]:
                    wrong.append(f"{row['file']}: {ours}: {facts[ours]!r}, in the table {row[theirs]!r}")
    return wrong


def check_ledger(corpus, rows, ledger):
    """Every file is in the ledger, and what is not stored has a reason."""
    by_file = collections.defaultdict(list)
    for line in ledger:
        for match in re.findall(r"files/.*", line["source"]):
            by_file[match].append(line)
    names = {os.path.relpath(os.path.join(top, f), corpus) for top, _, files in os.walk(os.path.join(corpus, "files")) for f in files}
    wrong = [f"{n}: not in the ledger" for n in sorted(names)
             if n not in by_file and not any(key.startswith(n) for key in by_file)]
    for line in ledger:
        if line["mail"] == "problem" and not line["mail_code"] and not line["code"] and line["outcome"] in ("problem", ""):
            wrong.append(f"{line['source']}: a problem without a reason")
    silent = {row["file"] for row in rows if row["parser"] not in ("etree", "none")}
    for n in sorted(silent):
        lines = [line for key, found in by_file.items() if key.startswith(n) for line in found]
        if not any(line["report"] or line["code"] or line["mail_code"] or line["mail"] == "duplicate" for line in lines):
            wrong.append(f"{n}: holds a damaged report, and the ledger does not say why it is not stored")
    return wrong


TLS = """
SELECT r.report_id, r.domain, sum(p.successful) AS successful, sum(p.failed) AS failed
FROM dmarc_store.tls_report r JOIN dmarc_store.tls_policy p ON p.domain = r.domain AND p.day = r.day AND p.report = r.id
GROUP BY r.id, r.report_id, r.domain
"""


def json_documents(data):
    """The JSON texts of a file: itself, or what a mail carries."""
    if data.lstrip()[:1] == b"{":
        yield data
        return
    for part in email.message_from_bytes(data).walk():
        content = part.get_payload(decode=True) or b""
        content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        if content.lstrip()[:1] == b"{":
            yield content


def check_other_kinds(corpus, ledger):
    """Failure reports and TLS reports: stored or refused with a reason; the figures of the TLS reports are equal."""
    with open(os.path.join(corpus, "index.tsv"), encoding="utf-8") as file:
        kinds = {row["path"]: row["kind"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}
    lines = collections.defaultdict(list)
    for line in ledger:
        for match in re.findall(r"files/.*", line["source"]):
            lines[re.sub(r"#\d+$", "", match)].append(line)
    wrong, stored, reasons, figures = [], 0, 0, {}
    for path, kind in sorted(kinds.items()):
        if kind not in ("ruf", "tlsrpt"):
            continue
        if any(line["mail"] in ("stored", "duplicate") for line in lines[path]):
            stored += 1
        elif any(line["code"] for line in lines[path]):
            reasons += 1
        else:
            wrong.append(f"{path}: neither stored nor refused with a reason")
        with open(os.path.join(corpus, path), "rb") as file:
            for document in json_documents(file.read()) if kind == "tlsrpt" else ():
                report = json.loads(document)
                for policy in report["policies"]:
                    key = (report["report-id"], policy["policy"]["policy-domain"])
                    sums = figures.setdefault(key, {}).setdefault(report["date-range"]["start-datetime"] + path, [0, 0])
                    sums[0] += policy["summary"]["total-successful-session-count"]
                    sums[1] += policy["summary"]["total-failure-session-count"]
    expected = {(*key, *map(str, sums)) for key, files in figures.items() for sums in files.values()}
    found = {(row["report_id"], row["domain"], row["successful"], row["failed"]) for row in query(TLS)}
    wrong += [f"TLS figures: {row} is not stored" for row in sorted(expected - found)]
    wrong += [f"TLS figures: {row} is in no file" for row in sorted(found - expected)]
    return wrong, stored, reasons, len(expected)


def tell(number, title, wrong):
    print(f"{'not ok' if wrong else 'ok'} {number} - {title}")
    for line in wrong[:50]:
        print("# " + line.encode("ascii", "backslashreplace").decode())
    return not wrong


def main():
    corpus = sys.argv[1]
    first = int(sys.argv[2])
    rows, documents = load_expected(corpus)
    ledger = query(LEDGER)
    reports = {line["id"]: line for line in query(REPORTS)}
    good = tell(first, "this test reads well-formed reports as the table does", check_own_reading(rows, documents))
    wrong, equal, refused = check_reports(rows, documents, ledger, reports)
    good &= tell(first + 1, f"reports of well-formed documents: {equal} equal, {refused} refused by rule", wrong)
    good &= tell(first + 2, "every file is in the ledger, with a reason where it is not stored", check_ledger(corpus, rows, ledger))
    wrong, stored, reasons, figures = check_other_kinds(corpus, ledger)
    good &= tell(first + 3, f"failure and TLS reports: {stored} files stored, {reasons} with a reason, {figures} figures equal", wrong)
    sys.exit(not good)


main()
