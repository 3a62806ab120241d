#!/usr/bin/python3
"""unpack.py MAILS [--xml DIR] [--packed DIR] [--rows FILE]: what is in a directory of mails, for those that read something else.

--xml: the documents; --packed: the attachments, each in a directory of its own because names occur twice; --rows: the
records as text for COPY: report, ordinal, address, messages, disposition, DKIM and SPF verdict, header and envelope From,
the DKIM results' domains, selectors and words, the SPF result's domain, scope and word.
"""
import argparse
import email
import glob
import gzip
import io
import os
import xml.etree.ElementTree
import zipfile


def attachments(path):
    with open(path, "rb") as file:
        for part in email.message_from_binary_file(file).walk():
            data = part.get_payload(decode=True) or b""
            if data.startswith((b"PK", b"\x1f\x8b")):
                yield part.get_filename() or "report.xml.gz", data


def document(data):
    if data.startswith(b"PK"):
        archive = zipfile.ZipFile(io.BytesIO(data))
        return archive.read(archive.namelist()[0])
    return gzip.decompress(data)


def rows(number, data):
    def words(path):
        return ",".join(element.text or "" for element in record.iterfind(path))

    ordinal = 0
    for _, record in xml.etree.ElementTree.iterparse(io.BytesIO(data)):
        record.tag = record.tag.rpartition("}")[2]
        if record.tag == "record":
            ordinal += 1
            yield "\t".join([str(number), str(ordinal), words("row/source_ip"), words("row/count"),
                             *(words("row/policy_evaluated/" + name) for name in ("disposition", "dkim", "spf")),
                             *(words("identifiers/" + name) for name in ("header_from", "envelope_from")),
                             *(words("auth_results/dkim/" + name) for name in ("domain", "selector", "result")),
                             *(words("auth_results/spf/" + name) for name in ("domain", "scope", "result"))]) + "\n"
            record.clear()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mails")
    for name in ("--xml", "--packed", "--rows"):
        parser.add_argument(name, default=None)
    options = parser.parse_args()
    if options.xml:
        os.makedirs(options.xml)
    out = open(options.rows, "w", encoding="ascii") if options.rows else None
    number = 0
    for path in sorted(glob.glob(options.mails + "/*")):
        for name, packed in attachments(path):
            number += 1
            if options.packed:
                os.makedirs(f"{options.packed}/{number}")
                with open(f"{options.packed}/{number}/{name}", "wb") as file:
                    file.write(packed)
            data = document(packed)
            if options.xml:
                with open(f"{options.xml}/{number:07d}.xml", "wb") as file:
                    file.write(data)
            if out:
                out.writelines(rows(number, data))


if __name__ == "__main__":
    main()
