#!/usr/bin/python3
"""Mails that ask a confined worker for what it could have no file for.

    confine_mails.py DIR      writes DIR/charset-NAME.eml, reports and subjects in many encodings,
                              and DIR/large-*.eml, with parts that do not stay in memory
"""
import base64
import os
import random
import re
import sys

from deviation_mails import alone, gz, mail, packed, part, usual

TEXTS = {
    "windows-1252": "Zür€ich", "iso-8859-1": "Zürich", "iso-8859-2": "Łódź", "iso-8859-15": "Zür€ich", "koi8-r": "Почта",
    "windows-1251": "Почта", "windows-1250": "Łódź", "shift_jis": "日本", "euc-jp": "日本", "iso-2022-jp": "日本",
    "gb2312": "中国", "gb18030": "中国", "big5": "中國", "euc-kr": "한국", "utf-8": "Zürich", "utf-16": "日本",
    "windows-1255": "דואר", "windows-1256": "بريد", "tis-620": "ไทย", "cp866": "Почта",
}
random.seed(5)


def xml(charset, name, filler=0):
    """A report; `filler` bytes of comments that do not get smaller when they are packed."""
    noise = "".join(f"<!-- {base64.b85encode(random.randbytes(700)).decode().replace('-', '_')} -->" for _ in range(filler // 900))
    return (f'<?xml version="1.0" encoding="{charset}"?><feedback><report_metadata><org_name>{name}</org_name>'
            f"<email>dmarc@reporter.example</email><report_id>{charset}-{filler}</report_id><date_range><begin>1790812800</begin>"
            "<end>1790899199</end></date_range></report_metadata><policy_published><domain>large.example</domain><p>none</p>"
            f"</policy_published>{noise}<record><row><source_ip>192.0.2.1</source_ip><count>3</count><policy_evaluated>"
            "<disposition>none</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row><identifiers>"
            "<header_from>large.example</header_from></identifiers><auth_results><spf><domain>a.example</domain>"
            "<result>fail</result></spf></auth_results></record></feedback>").encode(charset)


def charset_mails():
    for charset, text in TEXTS.items():
        word = base64.b64encode(text.encode(charset)).decode()
        yield f"charset-{charset}", usual(gz(xml(charset, text)), head=f"From: a@b.example\nSubject: =?{charset}?B?{word}?=\nMIME-Version: 1.0\n")


def odd(data):
    """A header that is written anew before it is parsed."""
    return re.sub(rb"(Content-Type: [^\n]*\n)", rb"\1\1", data, count=1)


def large_mails():
    report = xml("utf-8", "large", 1700000)
    yield "large-base64", usual(gz(report))
    yield "large-plain", alone(report, "text/xml", encoding="quoted-printable")
    yield "large-gzip-3", usual(gz(gz(gz(report))))
    inner = odd(usual(packed(packed(packed(report)))))
    yield "large-most", odd(mail(part(packed(packed(packed(inner))), "application/zip", "inner.zip")))
    # One encoded in another: more than anybody sends, and than there are files.
    nested = usual(gz(report))
    for level in range(12):
        quoted = part(nested.replace(b"=", b"=3D"), "application/octet-stream", encoding="quoted-printable")
        nested = odd(mail(quoted, boundary=f"level{level}"))
    yield "large-too-many", nested


os.makedirs(sys.argv[1], exist_ok=True)
for make in (charset_mails, large_mails):
    for name, data in make():
        with open(os.path.join(sys.argv[1], name + ".eml"), "wb") as file:
            file.write(data)
