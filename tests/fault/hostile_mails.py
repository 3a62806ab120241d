#!/usr/bin/python3
"""Mails that attack whoever reads them: hostile_mails.py DIR

Writes one file for each into DIR, and prints its name and what the ledger must say of it: its outcome, a tab, and a pattern for the
codes and reasons.
"""
import base64
import gzip
import io
import os
import struct
import sys
import zipfile
import zlib

HEAD = (b"From: dmarc@reporter.example\r\nTo: rua@example.com\r\nSubject: Report domain: example.com\r\n"
        b"Message-ID: <%s@reporter.example>\r\nMIME-Version: 1.0\r\n")
GIB = 1 << 30


def attached(name, data, media_type=b"application/octet-stream"):
    return (HEAD % name.encode() + b"Content-Type: " + media_type + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            + base64.encodebytes(data))


def deflated(size):
    """So many bytes that begin like XML and are blanks then, deflated: one piece again and again, so that it is made at once."""
    piece = 1 << 20
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(b"<feedback>".ljust(piece)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(b" " * piece) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + again * (size // piece - 1) + packer.flush(zlib.Z_FINISH)


def gzip_bomb(size):
    return b"\x1f\x8b\x08\0\0\0\0\0\2\xff" + deflated(size) + struct.pack("<II", 0, size & 0xffffffff)


def zip_bomb(size):
    """With the sizes in the 64-bit extra field."""
    data, name = deflated(size), b"report.xml"
    extra = struct.pack("<HHQQ", 1, 16, size, len(data))
    local = struct.pack("<IHHHHHIIIHH", 0x04034b50, 45, 0, 8, 0, 0, 0, 0xffffffff, 0xffffffff, len(name), len(extra)) + name + extra
    central = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014b50, 45, 45, 0, 8, 0, 0, 0, 0xffffffff, 0xffffffff, len(name), len(extra),
                          0, 0, 0, 0, 0) + name + extra
    end = struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, 1, 1, len(central), len(local) + len(data), 0)
    return local + data + central + end


def zipped(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


def zip_of_zips(depth, width):
    data = b"<feedback>".ljust(1 << 24)
    data = zipped([("0.xml", data)])
    for _ in range(depth):
        data = zipped([(f"lib {i}.zip", data) for i in range(width)])
    return data


def xml(name, body):
    return attached(name, gzip.compress(body, 6, mtime=0), b"application/gzip")


def multiparts(depth):
    opened = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(depth))
    return HEAD % b"multiparts" + opened + b"\r\nhello\r\n"


ENTITIES = b"".join(b'<!ENTITY l%d "%s">' % (i + 1, b"&l%d;" % i * 10) for i in range(9))
LIMIT, XML = "limit", "doctype"
ATTACKS = [
    ("gzip-bomb", "problem", LIMIT, lambda: attached("gzip-bomb", gzip_bomb(10 * GIB))),
    ("zip-bomb", "problem", LIMIT, lambda: attached("zip-bomb", zip_bomb(10 * GIB))),
    ("zip-of-zips", "problem", "limit|nesting", lambda: attached("zip-of-zips", zip_of_zips(6, 16))),
    ("many-parts", "problem", LIMIT, lambda: HEAD % b"many-parts" + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" +
     b"--x\r\n\r\n\r\n" * 100000 + b"--x--\r\n"),
    ("nested-mails", "problem", LIMIT, lambda: HEAD % b"nested-mails" + b"Content-Type: message/rfc822\r\n\r\n" * 20000 + b"hello\r\n"),
    ("nested-multiparts", "problem", LIMIT, lambda: multiparts(10000)),
    ("long-header", "problem", LIMIT, lambda: b"X: " + b"x" * (45 << 20) + b"\r\n" + HEAD % b"long-header" + b"\r\nhello\r\n"),
    ("many-headers", "problem", LIMIT, lambda: HEAD % b"many-headers" + b"X: x\r\n" * 500000 + b"\r\nhello\r\n"),
    ("laughs", "problem", XML, lambda: xml("laughs", b'<?xml version="1.0"?><!DOCTYPE f [<!ENTITY l0 "lol">' + ENTITIES + b"]><feedback>&l9;</feedback>")),
    ("quadratic", "problem", XML, lambda: xml("quadratic", b'<!DOCTYPE f [<!ENTITY a "' + b"a" * 100000 + b'">]><feedback>' + b"&a;" * 100000 + b"</feedback>")),
    ("outside", "problem", XML, lambda: xml("outside", b'<!DOCTYPE f [<!ENTITY a SYSTEM "file:///etc/passwd">]><feedback>&a;</feedback>')),
    ("attributes", "problem", LIMIT, lambda: xml("attributes", b"<feedback " + b" ".join(b'a%d=""' % i for i in range(100000)) + b"/>")),
    ("names", "problem", LIMIT, lambda: xml("names", b"<feedback>" + b"".join(b"<n%d/>" % i for i in range(2000000)) + b"</feedback>")),
    ("deep", "problem", LIMIT, lambda: xml("deep", b"<feedback>" + b"<a>" * 1000000)),
    ("text", "problem", ".", lambda: xml("text", b"<feedback><report_metadata><org_name>" + b"a" * (30 << 20) + b"</org_name></report_metadata></feedback>")),
    ("attribute", "problem", LIMIT, lambda: xml("attribute", b'<feedback a="' + b"a" * (30 << 20) + b'"/>')),
    ("cdata", "problem", ".", lambda: xml("cdata", b"<feedback><report_metadata><org_name><![CDATA[" + b"a" * (30 << 20))),
    ("namespaces", "problem", LIMIT, lambda: xml("namespaces", b"<feedback " + b" ".join(b'xmlns:a%d="u"' % i for i in range(50000)) + b"/>")),
]

for title, outcome, words, make in ATTACKS:
    with open(os.path.join(sys.argv[1], title + ".eml"), "wb") as file:
        file.write(make())
    print(title, outcome, words, sep="\t")
