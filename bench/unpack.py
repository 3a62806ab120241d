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
import re
import zipfile

TEXT = re.compile(rb"<(\w+)>([^<]+)</")
RECORD = (b"source_ip", b"count", b"disposition", b"dkim", b"spf", b"header_from", b"envelope_from", b"domain", b"selector", b"result")
SPF = (b"domain", b"scope", b"result")


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
    """By what is regular in the generator's documents: an XML parser takes minutes for a million records."""
    for ordinal, record in enumerate(data.split(b"<record>")[1:], 1):
        record, _, spf = record.rpartition(b"<spf>")
        seen, seen_spf = {}, dict(TEXT.findall(spf))
        for name, text in TEXT.findall(record):
            seen.setdefault(name, []).append(text)
        yield b"\t".join([b"%d\t%d" % (number, ordinal), *(b",".join(seen.get(name, ())) for name in RECORD),
                          *(seen_spf[name] for name in SPF)]) + b"\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mails")
    for name in ("--xml", "--packed", "--rows"):
        parser.add_argument(name, default=None)
    options = parser.parse_args()
    if options.xml:
        os.makedirs(options.xml)
    out = open(options.rows, "wb") if options.rows else None
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
