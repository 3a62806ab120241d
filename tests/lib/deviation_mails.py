#!/usr/bin/python3
"""Makes one folder of mails for each deviation that more than one floor decides, and what must come of it.

    deviation_mails.py DIR      writes DIR/CASE/*, mails and files in the order in which they are to be read, those with
                                "later" in their names in a run of their own

and prints a line a case: its name, which begins with the codes that it stands for, a tab, what the ledger must say, a tab,
a question of its own in SQL, a tab, and the answer. What the ledger says is four fields:

    outcomes of the mails | reports/records/messages | warnings | codes of what was put aside

Each case reports about a domain of its own, CASE.example in lower case; reports that were replaced do not count.
"""
import base64
import binascii
import gzip
import io
import os
import re
import struct
import sys
import zipfile
import zlib

BEGIN, DAY = 1790812800, 86400  # 2026-10-01


def record(ip="192.0.2.1", count=2, header_from=None, disposition="none", dkim="pass", spf="fail", auth=None, domain=""):
    identity = header_from or domain
    if auth is None:
        auth = (f"<dkim><domain>{identity}</domain><selector>s1</selector><result>pass</result></dkim>"
                "<spf><domain>bounce.example.net</domain><scope>mfrom</scope><result>pass</result></spf>")
    evaluated = f"<policy_evaluated><disposition>{disposition}</disposition><dkim>{dkim}</dkim><spf>{spf}</spf></policy_evaluated>"
    return (f"<record><row><source_ip>{ip}</source_ip><count>{count}</count>{evaluated}</row>"
            f"<identifiers><header_from>{identity}</header_from></identifiers><auth_results>{auth}</auth_results></record>\n")


NULL_ROW = ("<record><row><source_ip></source_ip><count>0</count><policy_evaluated><disposition>none</disposition>"
            "<dkim>fail</dkim><spf>fail</spf></policy_evaluated></row><identifiers/><auth_results/></record>\n")


class Case:
    """The mails of one deviation; each report gets an id of its own unless it is to be the same."""
    all = []

    def __init__(self, name, ledger, sql="", answer=""):
        self.name, self.ledger, self.sql, self.answer = name, ledger, sql, answer
        self.domain = name.split()[0].lower() + ".example"
        self.files = []
        self.ids = 0
        Case.all.append(self)

    def xml(self, *records, report_id=None, begin=BEGIN, length=DAY - 1, email="dmarc@reporter.example", domain=None, tail=""):
        domain = domain or self.domain
        if report_id is None:
            self.ids += 1
            report_id = f"{domain}-{self.ids}"
        rows = "".join(r if isinstance(r, str) else record(domain=domain, **r) for r in records or [{}])
        return (f'<?xml version="1.0" encoding="UTF-8"?>\n<feedback><report_metadata><org_name>Reporter</org_name><email>{email}</email>'
                f"<report_id>{report_id}</report_id><date_range><begin>{begin}</begin><end>{begin + length}</end></date_range>"
                f"</report_metadata><policy_published><domain>{domain}</domain><p>none</p></policy_published>\n"
                f"{rows}</feedback>{tail}").encode()

    def put(self, data, ending="eml", later=False):
        self.files.append((f"{len(self.files) + 1:02}.{'later.' if later else ''}{ending}", data))
        return self


def gz(data):
    return gzip.compress(data, mtime=0)


def packed(*members, method=zipfile.ZIP_DEFLATED):
    """A zip of (name, bytes); a bare bytes is a report."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for member in members:
            name, data = member if isinstance(member, tuple) else ("report.xml", member)
            archive.writestr(zipfile.ZipInfo(name, (2026, 10, 2, 0, 0, 0)), data, method)
    return out.getvalue()


def streamed(data):
    """A zip as a program writes it that cannot go back: the sizes come behind the data."""
    class Pipe(io.RawIOBase):
        def __init__(self):
            self.bytes = b""

        def writable(self):
            return True

        def write(self, b):
            self.bytes += bytes(b)
            return len(b)
    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("report.xml", data)
    return pipe.bytes


def flipped(data, at):
    data = bytearray(data)
    data[at] ^= 0x41
    return bytes(data)


def part(data, media_type=None, name=None, encoding="base64", head=""):
    """A leaf; without a media type, one without that field."""
    lines = []
    if media_type:
        lines.append(f"Content-Type: {media_type}" + (f'; name="{name}"' if name else ""))
    if name:
        lines.append(f'Content-Disposition: attachment; filename="{name}"')
    if encoding:
        lines.append(f"Content-Transfer-Encoding: {encoding}")
    body = base64.encodebytes(data) if encoding == "base64" else data
    return (head + "".join(line + "\n" for line in lines)).encode() + b"\n" + body


TEXT = part(b"This is an aggregate report.\n", "text/plain", encoding="7bit")
HEAD = ("From: dmarc@reporter.example\nTo: rua@example.org\nDate: Fri, 02 Oct 2026 03:04:05 +0000\n"
        "Subject: Report Domain: example.org Submitter: reporter.example Report-ID: <1>\n"
        "Message-ID: <{}@reporter.example>\nMIME-Version: 1.0\n")
sequence = 0


def mail(*parts, head=None, boundary="b0undary", kind="multipart/mixed", close=True, preamble=b"", said=None):
    """A mail of several parts, or of one that is the mail's own body."""
    global sequence
    sequence += 1
    start = (HEAD if head is None else head).replace("{}", str(sequence)).encode()
    if len(parts) == 1 and boundary is None:
        return start + parts[0]
    out = start + f'Content-Type: {kind}; boundary="{said or boundary}"\n\n'.encode() + preamble
    for one in parts:
        out += f"--{boundary}\n".encode() + one.rstrip(b"\n") + b"\n"
    return out + (f"--{boundary}--\n".encode() if close else b"")


def alone(data, media_type, name=None, **more):
    return mail(part(data, media_type, name, **more), boundary=None)


def usual(data, name="report.xml.gz", media_type="application/gzip", **more):
    return mail(TEXT, part(data, media_type, name), **more)


def subject(text, who="dmarc@reporter.example"):
    return f"From: {who}\nSubject: {text}\nMIME-Version: 1.0\n"


def containers():
    c = Case("C1", "stored | 1/1/2 | - | -")
    c.put(alone(packed(c.xml()), "application/zip", "r.zip"))
    c = Case("C2", "stored | 1/1/2 | - | -")
    c.put(alone(gz(c.xml()), "application/gzip", "r.xml.gz"))
    c = Case("C3", "stored stored | 2/2/4 | - | -")
    c.put(usual(gz(c.xml()) + b"\r\n")).put(usual(gz(c.xml()) + b"\0" * 600))
    c = Case("C4", "stored | 1/1/2 | - | -")
    plain = gz(c.xml())
    c.put(usual(plain[:3] + b"\x18" + plain[4:10] + b"name\0comment\0" + plain[10:]))
    # octet-stream claims nothing, and the old names of gzip are not wrong: no warning for these.
    c = Case("C5 lies", "stored stored stored stored stored | 5/5/10 | ctype | -")
    for media_type in ("application/zip", "application/x-zip-compressed", "text/plain", "application/json", "text/xml"):
        c.put(mail(TEXT, part(gz(c.xml()), media_type)))
    c = Case("C5 odd but true", "stored stored stored stored | 4/4/8 | - | -")
    c.domain = "c5b.example"
    for media_type in ("application/x-gzip", "application/x-gzip-compressed", "application/octet-stream", "Application/GZIP"):
        c.put(mail(TEXT, part(gz(c.xml()), media_type)))
    c = Case("C5 no boundary", "stored | 1/1/2 | ctype,mime | -")
    c.domain = "c5c.example"
    c.put(mail(TEXT, part(gz(c.xml()), "multipart/alternative")))
    c = Case("C6", "stored stored stored | 3/3/6 | ext | -")
    c.put(usual(gz(c.xml()), "r.zip")).put(usual(packed(c.xml()), "r.xml.gz", "application/zip")).put(
        usual(packed(c.xml()), "r.xml", "application/octet-stream"))
    c = Case("C7", "stored stored | 2/2/4 | - | -")
    c.put(mail(TEXT, part(gz(c.xml()), "application/gzip")))
    c.put(mail(TEXT, b"Content-Type: application/gzip; name=one.gz\nContent-Disposition: attachment; filename=two.gz\n"
               b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(gz(c.xml()))))
    c = Case("C8", "stored stored | 2/2/4 | - | -")
    c.put(usual(gz(c.xml()), "eml")).put(usual(gz(c.xml()), "!example.com!1538400000!1538486399.gz"))
    # text/plain is no lie about XML: it is text.
    c = Case("C9", "stored stored stored | 3/3/6 | - | -")
    c.put(alone(c.xml(), "text/xml", encoding="8bit")).put(mail(TEXT, part(c.xml(), "text/plain", encoding="7bit")))
    c.put(mail(TEXT, part(c.xml(), "application/xml", "r.xml", encoding="quoted-printable").replace(b"=", b"=3D").replace(
        b"Content-Type: application/xml; name=3D", b"Content-Type: application/xml; name=").replace(b"filename=3D", b"filename=")))
    c = Case("C10", "stored stored stored | 3/3/6 | - | -")
    c.put(usual(packed(c.xml()), "r.xml.zip", "application/zip")).put(usual(gz(gz(c.xml())), "r.xml.gz.gz"))
    c.put(usual(gz(gz(gz(c.xml()))), "r.xml.gz.gz.gz"))
    c = Case("C11", "stored stored stored problem | 3/3/6 | - | nesting")
    c.put(usual(packed(("r.zip", packed(c.xml()))), "r.zip", "application/zip")).put(usual(gz(packed(c.xml()))))
    c.put(usual(packed(("r.xml.gz", gz(c.xml()))), "r.zip", "application/zip"))
    c.put(usual(gz(gz(gz(gz(c.xml()))))))
    c = Case("C12", "stored | 1/1/2 | - | -")
    c.put(usual(packed(("in/", b""), ("../../etc/in/r.xml", c.xml())), "r.zip", "application/zip"))
    c = Case("C13", "stored stored | 4/4/8 | zip_extra | -",
             "SELECT string_agg(d.path || coalesce('=' || d.warnings::text, ''), ' ' ORDER BY m.source, d.ordinal) FROM dmarc_store.document d"
             " JOIN dmarc_store.message m ON m.id = d.message WHERE m.source LIKE '%/C13/%' AND d.kind <> 'archive' AND d.path LIKE '%.zip%'",
             "part 2 / r.zip / a.xml part 2 / r.zip / b.xml part 2 / r.zip / readme.txt part 2 / r.zip / a.xml={zip_extra}"
             " part 2 / r.zip / b.xml={zip_extra}")
    c.put(usual(packed(("a.xml", c.xml()), ("b.xml", c.xml())), "r.zip", "application/zip"))
    c.put(usual(packed(("readme.txt", b"read me"), ("a.xml", c.xml()), ("b.xml", c.xml())), "r.zip", "application/zip"))
    c = Case("C14", "stored stored stored problem problem | 3/3/6 | - | zip_method")
    c.put(usual(packed(c.xml(), method=zipfile.ZIP_STORED), "r.zip", "application/zip"))
    c.put(usual(streamed(c.xml()), "r.zip", "application/zip"))
    # One that a program was to split, and that fit into one piece: a mark in front, which all places count.
    marked = packed(c.xml())
    directory = marked.index(b"PK\1\2")
    end = marked.index(b"PK\5\6")
    marked = (marked[:directory + 42] + struct.pack("<I", 4) + marked[directory + 46:end + 16] + struct.pack("<I", directory + 4) + marked[end + 20:])
    c.put(usual(b"PK00" + marked, "r.zip", "application/zip"))
    locked = bytearray(packed(c.xml()))
    locked[6] |= 1
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    c.put(usual(bytes(locked), "r.zip", "application/zip"))
    c.put(usual(packed(c.xml(), method=zipfile.ZIP_LZMA), "r.zip", "application/zip"))
    broken_archives()
    c = Case("C16", "stored | 2/2/4 | - | archive")
    c.put(mail(TEXT, part(gz(c.xml())[:9], "application/gzip"), part(packed(c.xml()), "application/zip"),
               part(gz(c.xml()), "application/gzip")))
    c = Case("C17", "stored | 1/1/2 | - | -",
             "SELECT string_agg(d.outcome, ' ' ORDER BY ordinal) FROM dmarc_store.document d JOIN dmarc_store.message m ON m.id = d.message"
             " WHERE m.source LIKE '%/C17/%'", "no_report stored duplicate duplicate")
    xml = c.xml()
    c.put(mail(TEXT, part(packed(xml), "application/zip"), part(xml, "text/xml"), part(gz(xml), "application/gzip")))


def broken_archives():
    c = Case("C15 nothing in it", "problem problem problem | 0/0/0 | - | archive")
    c.put(usual(packed(), "r.zip", "application/zip")).put(usual(packed(c.xml())[:60], "r.zip", "application/zip"))
    c.put(usual(gz(c.xml())[:15]))
    # The report was complete before the archive broke off.
    c = Case("C15 cut behind the report", "stored | 1/1/2 | truncated | -")
    c.domain = "c15b.example"
    c.put(usual(gz(c.xml())[:-4]))
    # Whole records before the break are used, and the report says so.
    c = Case("C15 cut within", "stored | 1/200/400 | truncated | -",
             "SELECT incomplete::text FROM dmarc_store.report WHERE domain = 'c15c.example'", "true")
    c.domain = "c15c.example"
    out = zlib.compressobj(9, zlib.DEFLATED, 31)
    text = c.xml(*[{"ip": f"192.0.2.{i}"} for i in range(250)])
    rows = text.split(b"</record>\n")
    c.put(usual(out.compress(b"</record>\n".join(rows[:200]) + b"</record>\n<record><row>") + out.flush(zlib.Z_FULL_FLUSH)))
    # A wrong check sum is not in the list: the bytes are known to be false, and how many of them is not. Nothing is stored.
    c = Case("C15 wrong sum", "problem problem problem | 0/0/0 | - | crc")
    c.domain = "c15d.example"
    c.put(usual(flipped(gz(c.xml()), -8))).put(usual(flipped(gz(c.xml() + c.xml()), -1)))
    stored = packed(c.xml(), method=zipfile.ZIP_STORED)
    c.put(usual(flipped(stored, stored.index(b"<count>2") + 7), "r.zip", "application/zip"))


def forwarded():
    c = Case("C18", "stored stored stored | 4/4/8 | - | -")
    inner = [mail(TEXT, part(packed(c.xml()), "application/zip", "r.zip")) for _ in range(4)]
    c.put(mail(TEXT, b"Content-Type: message/rfc822\n\n" + inner[0]))
    c.put(mail(TEXT, b"Content-Type: message/rfc822\n\n" + mail(TEXT, b"Content-Type: message/rfc822\n\n" + inner[1], boundary="twice")))
    c.put(mail(b"Content-Type: message/rfc822\n\n" + inner[2], part(inner[3], "message/rfc822"), boundary="three"))
    # A mail in an archive is a mail, too; in such a mail there is no further one.
    c = Case("C18 packed", "stored stored problem | 3/3/6 | - | nesting")
    c.domain = "c18b.example"
    c.put(usual(packed(("one.eml", usual(gz(c.xml())))), "mails.zip", "application/zip"))
    c.put(packed(("one.eml", usual(gz(c.xml()))), ("two.eml", alone(packed(c.xml()), "application/zip"))), "zip")
    deep = usual(packed(("deep.eml", usual(gz(c.xml())))), "mails.zip", "application/zip")
    c.put(usual(packed(("two.eml", deep)), "mails.zip", "application/zip"))
    # Every mail of an mbox is one, wherever the mbox comes from.
    c = Case("C18 mbox", "stored stored stored stored stored stored stored stored stored | 15/15/30 | - | -")
    c.domain = "c18c.example"

    def box():
        return b"".join(b"From a@b.example Fri Oct  2 03:04:05 2026\n" + usual(gz(c.xml())) + b"\n" for _ in range(2))
    c.put(gz(box()), "mbox.gz").put(packed(("box.mbox", box()), ("other.mbox", box())), "zip")
    c.put(mail(TEXT, part(box(), "application/mbox", "box"))).put(mail(TEXT, part(box(), "application/octet-stream")))
    c.put(b"\n\r\n" + box(), "mbox").put(b"\xef\xbb\xbf" + box(), "mbox")
    c.put(b"From a@b.example Fri Oct  2 03:04:05 2026\n" + usual(gz(c.xml())))
    c = Case("C19", "stored | 1/1/2 | - | -")
    c.put(mail(part(b"FYI\n> From: dmarc@reporter.example\n> Subject: Report\n", "text/plain", encoding="7bit"),
               part(gz(c.xml()), "application/gzip", "r.xml.gz"), head=subject("FW: Report Domain: example.org")))
    c = Case("C20", "problem | 0/0/0 | - | msg_ole")
    c.put(usual(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "report.msg", "application/vnd.ms-outlook"))
    c = Case("C21", "problem | 0/0/0 | - | tnef")
    c.put(usual(b"\x78\x9f\x3e\x22\x01\x00" + b"\0" * 60, "winmail.dat", "application/ms-tnef"))
    c = Case("C22", "stored problem | 1/1/2 | - | smime")
    c.put(mail(part(gz(c.xml()), "application/gzip"), part(b"0\x80", "application/pkcs7-signature"), kind="multipart/signed"))
    c.put(alone(bytes.fromhex("308006092a864886f70d010702a0803080020101310030800609") + bytes.fromhex("2a864886f70d010701a0802480"),
                "application/pkcs7-mime", "smime.p7m"))
    c = Case("C23", "problem problem problem | 0/0/0 | - | archive_type")
    c.put(usual(b"7z\xbc\xaf\x27\x1c" + b"\0" * 40)).put(usual(b"\x28\xb5\x2f\xfd" + b"\0" * 40)).put(usual(b"BZh91AY&SY" + b"\0" * 40))
    c = Case("C24", "stored | 1/1/2 | - | -")
    c.put(mail(TEXT, part(gz(c.xml()), "application/gzip", encoding="binary")))
    # What says that it were a report, and of which nothing is left that tells it, is no mail without a report.
    c = Case("C24 mangled", "problem problem problem problem | 0/0/0 | - | archive")
    c.domain = "c24b.example"
    c.put(usual(gz(c.xml()).decode("latin-1").encode())).put(usual(gz(c.xml())[1:], "r.gz", "application/octet-stream"))
    c.put(usual(bytes(b & 127 for b in gz(c.xml())))).put(alone(b"nothing packed", "application/zip", "a!b.example!1!2.zip"))
    # A bounce may quote the header of a mail without its body: nothing is missing there.
    c = Case("C31 quoted", "no_report no_report | 0/0/0 | - | -")
    c.domain = "c31b.example"
    for quoted in ("text/rfc822-headers", "message/rfc822"):
        c.put(mail(TEXT, part(b"Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; a@b.example\nAction: failed\n", "message/delivery-status", encoding=None),
                   part(b"From: a@c31b.example\nSubject: x\nMIME-Version: 1.0\nContent-Type: application/zip; name=\"r.zip\"\n"
                        b"Content-Transfer-Encoding: base64\n\n", quoted, encoding=None), kind='multipart/report; report-type=delivery-status'))
    c = Case("C32 damaged", "problem | 0/0/0 | - | json")
    c.domain = "c32b.example"
    c.put(mail(TEXT, part(b"\x8e\xff not JSON", "application/tlsrpt+json", "r.json")))
    # The header tells what a mail is about, and whose domain it is where the report names none.
    c = Case("C32 by its header", "stored problem | 0/0/0 | - | json",
             "SELECT string_agg(domain, ' ') FROM dmarc.tls_report WHERE domain LIKE 'c32c.%'", "c32c.example")
    c.domain = "c32c.example"
    head = HEAD.replace("MIME", "TLS-Report-Domain: C32c.example.\nTLS-Report-Submitter: reporter.example\nMIME")
    c.put(mail(TEXT, part(gz(b'{"organization-name":"Reporter","date-range":{"start-datetime":"2026-10-01T00:00:00Z","end-datetime":"2026-10-01T23:59:59Z"},'
                             b'"contact-info":"t@reporter.example","report-id":"c32c","policies":[]}'), "application/gzip", "r.json.gz"), head=head))
    c.put(mail(TEXT, part(gz(b'{"organization-name'), "application/gzip", "r.json.gz"), head=head))
    c = Case("X16 nothing in it", "problem problem problem problem | 0/0/0 | - | empty,no_root")
    c.domain = "x16b.example"
    c.put(usual(gz(b""))).put(usual(gz(b"<html><body>Internal error</body></html>"))).put(alone(b"\n" * 3000, "text/xml"))
    c.put(mail(TEXT, part(b"could not be made", "text/plain", "report.xml")))
    # The same in files.
    c = Case("X16 no mail", "stored problem problem problem no_report no_report | 1/1/2 | - | archive,empty,no_root")
    c.domain = "x16c.example"
    c.put(b"<html><body>Internal error</body></html>", "xml").put(b"", "xml").put(b"", "xml.gz")
    c.put(usual(gz(c.xml())), "xml").put(b"", "eml").put(b"Hello\n", "txt")
    c = Case("I7 endless", "stored | 1/2/4 | align_conflict,bad_name,from_outside,text_cut | -")
    c.domain = "i7b.example"
    endless = "".join(f"<dkim><domain>{name * 3500}</domain><selector>{name * 5000}</selector><result>fail</result></dkim>" for name in "ab")
    c.put(usual(gz(c.xml({}, {"auth": endless, "header_from": "x" * 9000}))))
    c = Case("X3 long", "stored stored stored | 3/3/6 | xml_lead | -")
    c.domain = "x3b.example"
    c.put(usual(gz(b" " * 2000 + c.xml()))).put(alone(b"\n" * 70000 + c.xml(), "text/xml"))
    c.put(alone(("\r\n" + c.xml().decode().replace("UTF-8", "UTF-16")).encode("utf-16-be"), "application/xml", "r.xml"))
    c = Case("M15 by its name", "stored stored | 2/2/4 | from_filename | -",
             "SELECT string_agg(DISTINCT day::text, ' ') FROM dmarc_store.report WHERE domain = 'm15b.example'", "2026-09-30")
    c.domain = "m15b.example"
    name = f"reporter.example!m15b.example!{BEGIN - DAY}!{BEGIN - 1}"
    c.put(usual(packed(c.xml(begin=0, length=0)), name + ".zip", "application/zip"))
    c.put(mail(TEXT, part(gz(c.xml(begin=0, length=0)), "application/gzip", "eml").replace(b'gzip; name="eml"', f'gzip; name="{name}.xml.gz"'.encode())))


def transfer():
    # A report that was forwarded weeks later is as old as the mail that brought it first; one without a date is as old as the outer.
    c = Case("M15 forwarded", "stored stored stored | 3/3/6 | date,email,org | -",
             "SELECT string_agg(day || ' ' || org_name, ', ' ORDER BY day) FROM dmarc.report WHERE domain = 'm15c.example'",
             "2026-10-02 reporter.example, 2026-10-02 reporter.example, 2026-11-20 reporter.example")
    c.domain = "m15c.example"
    later = "From: postmaster@forwarder.example\nSubject: Fwd: report\nDate: Fri, 20 Nov 2026 08:00:00 +0000\nMIME-Version: 1.0\n"
    undated = "From: dmarc@reporter.example\nSubject: report\nMIME-Version: 1.0\n"
    bare = [gz(re.sub(b"<(org_name|email|begin|end)>.*?</\\1>", b"", c.xml())) for _ in range(3)]
    c.put(mail(TEXT, b"Content-Type: message/rfc822\n\n" + usual(bare[0]), head=later, boundary="fw"))
    c.put(mail(TEXT, part(packed(("report.eml", usual(bare[1]))), "application/zip"), head=later))
    c.put(mail(TEXT, b"Content-Type: message/rfc822\n\n" + usual(bare[2], head=undated), head=later, boundary="fw"))

    c = Case("C25", "stored stored stored stored stored | 5/5/10 | - | -")
    for shape in (lambda t: t.replace(b"\n", b""), lambda t: t.replace(b"\n", b" \t\n\n"), lambda t: t.rstrip(b"=\n"),
                  lambda t: t + b"\n-- \nscanned, clean\n", lambda t: t[:40] + b"\n*!\n" + t[40:]):
        c.put(mail(TEXT, b"Content-Type: application/gzip\nContent-Transfer-Encoding: base64\n\n" + shape(base64.encodebytes(gz(c.xml())))))
    c = Case("C26", "stored stored | 2/2/4 | cte | -")
    for encoding in ("7bit", "8bit"):
        c.put(mail(TEXT, part(base64.encodebytes(packed(c.xml())), "application/zip", "r.zip", encoding=encoding)))
    # With the warning of a script in front of it, and a name or none that tells nothing.
    c = Case("X3 warned", "stored stored no_report | 2/2/4 | xml_lead | -")
    c.domain = "x3c.example"
    warning = b"Warning: date() in report.php on line 3\n"
    c.put(mail(TEXT, part(gz(warning + c.xml()), "application/gzip")))
    c.put(mail(TEXT, part(packed(("report.txt", warning + c.xml())), "application/zip", "r.zip")))
    c.put(mail(TEXT, part(packed(("readme.txt", b"The root element is <feedback> here.\n")), "application/zip", "r.zip")))
    # Twice base64, by a gateway that encoded what was encoded; and base64 under the name of the other encoding.
    c = Case("C26 twice", "stored stored stored | 3/3/6 | cte | -")
    c.domain = "c26b.example"
    c.put(mail(TEXT, part(base64.encodebytes(gz(c.xml())), "application/gzip", "r.xml.gz")))
    c.put(mail(TEXT, part(base64.encodebytes(gz(c.xml())), "application/gzip", "r.xml.gz", encoding="quoted-printable")))
    c.put(mail(TEXT, part(base64.encodebytes(gz(c.xml())).replace(b"=", b"=3D"), "application/gzip", "r.xml.gz", encoding="quoted-printable")))
    c = Case("C27", "stored | 1/1/2 | - | -")
    c.put(mail(b'Content-Type: multipart/related; boundary="in"\n\n--in\n' + part(b"<html>External mail</html>", "text/html", encoding="7bit")
               + b"\n--in\n" + part(b"\x89PNG\r\n", "image/png", "logo.png") + b"\n--in--\n", part(gz(c.xml()), "application/gzip")))
    c = Case("C28", "stored stored | 2/2/4 | - | -")
    c.put(mail(b"\n\n", b"\n", part(gz(c.xml()), encoding="base64"), b"Content-Type: text/plain;\n\n"))
    c.put(mail(TEXT, b"Content-Type: application/zip;\nContent-Disposition: attachment; filename=r.zip;\nContent-Transfer-Encoding: base64\n\n"
               + base64.encodebytes(packed(c.xml()))))
    # Without its end alone a mail needs no mending: nothing of it is missing.
    c = Case("C29", "stored stored stored | 3/3/6 | mime | -",
             "SELECT count(*) FROM dmarc_store.document d JOIN dmarc_store.message m ON m.id = d.message WHERE m.source LIKE '%/C29/%' AND 'mime' = ANY (warnings)",
             "2")
    c.put(mail(TEXT, part(gz(c.xml()), "application/gzip"), close=False))
    c.put(mail(TEXT, part(gz(c.xml()), "application/gzip"), said="another"))
    c.put(mail(TEXT, preamble=c.xml() + b"\n"))
    # The mail says that there is nothing to report, and that is no reason to alarm anybody.
    c = Case("C30", "no_report | 0/0/0 | - | yahoo_unused")
    c.put(usual(gz(b"unused")))
    c = Case("C31", "no_report no_report no_report no_report | 0/0/0 | - | -")
    c.put(mail(part(b"Your report is larger than 10 MB.\n", "text/plain", encoding="7bit"), head=subject("DMARC report too large")))
    c.put(mail(part(b"no such user\n", "text/plain", encoding="7bit"), part(b"Status: 5.1.1\n", "message/delivery-status", encoding="7bit"),
               kind="multipart/report; report-type=delivery-status", head=subject("Undelivered Mail", "MAILER-DAEMON@example.org")))
    c.put(mail(part(b"<p>I am on <b>holiday</b> until Monday.", "text/html", encoding="7bit"), boundary=None, head=subject("Out of office")))
    c.put(mail(part(b"<feedback@shop.example> buy now\n", "text/plain", encoding="7bit"), boundary=None, head=subject("Offer")))
    # What only looks like a report: mailers' markup, a declaration that somebody quotes, office files, drawings.
    c = Case("C31 looks like one", "no_report no_report no_report no_report no_report no_report no_report no_report no_report | 0/0/0 | - | -")
    c.domain = "c31c.example"
    away = b'<html>\n<head>\n<?xml:namespace prefix = o ns = "urn:schemas-microsoft-com:office:office" />\n</head><body>Away</body></html>\n'
    c.put(alone(away, "text/html", encoding="quoted-printable")).put(alone(away[7:], "text/html")).put(mail(TEXT, part(away, "text/html")))
    c.put(alone(b'Your file begins\n<?xml version="1.0"?>\n<!DOCTYPE feedback>\nand does not end.\n', "text/plain"))
    c.put(alone(b'Your file begins\n<?xml version="1.0"?>\nand does not end.\n', "text/plain", encoding="7bit"))
    office = [("[Content_Types].xml", b"<Types/>"), ("word/document.xml", b"<w:document/>")]
    c.put(mail(TEXT, part(packed(*office), "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "r.docx")))
    c.put(usual(packed(*reversed(office)), "sheet.xlsx", "application/octet-stream")).put(usual(packed(*office), "r.zip", "application/zip"))
    c.put(usual(packed(("mimetype", b"application/vnd.oasis.opendocument.text"), ("content.xml", b"<x/>")), "r.odt", "application/x-vnd.oasis.opendocument.text"))
    # Who speaks of reports shows pieces of them; what says who reports when and about whom, and cannot be read, is one that is damaged.
    c = Case("C31 speaks of reports", "problem problem no_report no_report no_report no_report no_report no_report no_report no_report no_report no_report | 0/0/0 | mime | "
             "json,no_domain,no_period,truncated")
    c.domain = "c31d.example"
    for words in (b"> <feedback>\n> is the root.\n", b"<feedback>\n  <record>\n    ...\n  </record>\n</feedback>\n", b"> <feedback>\n>   <report_metadata>...\n> </feedback>\n",
                  b'{\n  "policies": [{"Effect": "Allow"}]\n}\n', b'> {\n>   "organization-name": "Example Inc.",\n>   ...\n> }\n',
                  b"> H4sI is how gzip begins in base64\n", b"UEsDBA\n", b"UEsDB is how zip does\n",
                  b"> <feedback>\n>   <report_metadata>\n>   <policy_published>\n", b'{\n  "date-range": {},\n  "policies": [\n'):
        c.put(alone(b"See:\n" + words, "text/plain", encoding="7bit"))
    c.put(alone(b"<p>See:<br>&lt;feedback&gt;<br>is the root.", "text/html", encoding="7bit"))
    c.put(usual(gz(b"The root is <feedback> <b>here</b>.\n"), "readme.gz"))
    c = Case("C27 a drawing", "stored stored stored no_report | 3/3/6 | - | -")
    c.domain = "c27b.example"
    svg = b'<?xml version="1.0"?>\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/svg11.dtd">\n<svg xmlns="http://www.w3.org/2000/svg"/>\n'
    for media_type, name, data in (("image/svg+xml", None, svg), ("application/octet-stream", "logo.SVG", svg), ("image/svg+xml", "logo.svg", b"<svg/>")):
        c.put(mail(part(gz(c.xml()), "application/gzip"), part(data, media_type, name)))
    c.put(mail(TEXT, part(b"damaged", "image/svg+xml", "logo.svg")))
    c = Case("C32", "* | 0/0/0 | * | *",
             "SELECT string_agg(DISTINCT d.kind, ' ') FROM dmarc_store.document d JOIN dmarc_store.message m ON m.id = d.message"
             " WHERE m.source LIKE '%/C32/%' AND d.kind NOT IN ('text', 'empty')", "failure tls")
    tls = (b'{"organization-name":"Reporter","date-range":{"start-datetime":"2026-10-01T00:00:00Z","end-datetime":"2026-10-01T23:59:59Z"},'
           b'"contact-info":"t@reporter.example","report-id":"t1","policies":[{"policy":{"policy-type":"no-policy-found",'
           b'"policy-domain":"c32.example"},"summary":{"total-successful-session-count":1,"total-failure-session-count":0}}]}')
    c.put(usual(gz(tls), "r.json.gz", "application/tlsrpt+gzip"))
    c.put(mail(TEXT, part(b"Feedback-Type: auth-failure\nUser-Agent: x/1\nVersion: 1\nAuth-Failure: dmarc\nReported-Domain: c32.example\n"
                          b"Arrival-Date: Thu, 01 Oct 2026 03:04:05 +0000\nSource-IP: 192.0.2.1\n", "message/feedback-report", encoding="7bit"),
               part(b"Subject: x\nFrom: a@c32.example\n", "text/rfc822-headers", encoding="7bit"), kind="multipart/report; report-type=feedback-report"))
    c = Case("C33", "problem problem problem | 0/0/0 | - | limit",
             "SELECT string_agg(DISTINCT substring(d.detail FROM 'unpack[a-z_]*'), ' ') FROM dmarc_store.document d JOIN dmarc_store.message m ON m.id = d.message"
             " WHERE m.source LIKE '%/C33/%' AND d.code = 'limit'", "unpack_members unpack_ratio")
    bomb = gz(b"<feedback>" + b" " * (20 << 20))
    c.put(usual(bomb)).put(usual(packed(*[(f"{i}.gz", bomb) for i in range(3)], method=zipfile.ZIP_STORED), "r.zip", "application/zip"))
    c.put(usual(packed(*[(str(i), b"") for i in range(1100)]), "r.zip", "application/zip"))
    c = Case("C34", "stored stored | 2/2/4 | - | -")
    c.put(mail(TEXT, part(gz(c.xml()), "(a comment) APPLICATION/GZIP"), kind="Multipart/Mixed"))
    c.put(mail(TEXT, b"Content-Type: application/gzip\nContent-Type: application/zip\nContent-Transfer-Encoding: base64\n\n"
               + base64.encodebytes(gz(c.xml()))))


def between_words():
    """Reports that stand in a text."""
    c = Case("C9 between words", "stored stored stored stored | 4/4/40 | mime,xml_lead | -")
    c.domain = "c9b.example"
    ten = {"count": 10}

    def text():
        return b"External mail!\n" + c.xml(ten)
    for media_type in ("text/xml", "text/plain"):
        c.put(alone(text().replace(b'="', b'=3D"').replace(b"<count>10", b"<count>1=\n0"), media_type, encoding="quoted-printable"))
    c.put(alone(text(), "text/plain")).put(alone(text(), "text/xml", encoding="7bit"))
    c = Case("C24 uuencode in a text", "stored stored | 2/2/4 | mime | -")
    c.domain = "c24c.example"
    for before in (b"", b"Hello,\n\n"):
        packed_xml = gz(c.xml())
        lines = b"".join(binascii.b2a_uu(packed_xml[i:i + 45]) for i in range(0, len(packed_xml), 45))
        c.put(alone(before + b"begin 644 r.xml.gz\n" + lines + b"`\nend\n\nBye\n", "text/plain", encoding="7bit"))
    c = Case("C16 in the text and beside it", "stored stored stored | 4/4/8 | mime | -",
             "SELECT string_agg(d.outcome, ' ' ORDER BY m.source, d.ordinal) FROM dmarc_store.document d JOIN dmarc_store.message m ON m.id = d.message"
             " WHERE m.source LIKE '%/C16_in_the%'", "no_report stored no_report no_report stored stored no_report duplicate stored")
    c.domain = "c16b.example"

    def inline(xml):
        return part(b"Hello\n\n" + xml, "text/plain", encoding="7bit")
    xml = c.xml()
    c.put(mail(inline(c.xml()), part(packed(("x.txt", b"x")), "application/zip", "x.zip")))
    c.put(mail(inline(c.xml()), part(gz(c.xml()), "application/gzip", "r.xml.gz")))
    c.put(mail(inline(xml), part(gz(xml), "application/gzip", "r.xml.gz")))

    copies_in_words()


def copies_in_words():
    """What a mail has as a document, and once more in its words, wrapped and changed by mail programs, counts once."""
    c = Case("C17 in words", "stored stored stored stored stored stored stored stored | 9/9/18 | mime | truncated",
             "SELECT right(m.source, 6) || ' ' || string_agg(d.outcome, ' ' ORDER BY d.ordinal) FROM dmarc_store.document d JOIN dmarc_store.message m ON m.id = d.message"
             " WHERE m.source LIKE '%/C17_in_words/%' AND d.kind <> 'text' GROUP BY m.source ORDER BY m.source",
             "01.eml duplicate stored 02.eml stored duplicate 03.eml duplicate stored 04.eml duplicate stored 05.eml no_report stored"
             " 06.eml stored stored 07.eml stored duplicate 08.eml stored duplicate duplicate")
    c.domain = "c17b.example"

    def report():
        return c.xml().replace(b"<org_name>Reporter", b"<org_name>Re Porter")

    def said(xml, quote=b"> ", media_type="text/plain"):
        return part(b"He wrote:\n" + b"".join(quote + line + b"\n" for line in xml.splitlines()), media_type, encoding="7bit")

    def attached(xml):
        return part(gz(xml), "application/gzip", "r.xml.gz")

    def wrapped(xml):
        return xml.replace(b"Re Porter", b"Re\nPorter")
    xml = report()
    c.put(mail(said(wrapped(xml)), attached(xml)))
    xml = report()
    c.put(mail(attached(xml), said(wrapped(xml), b"")))
    # In HTML; forwarded with an answer above; so damaged that nothing can be read.
    xml = report()
    c.put(mail(said(wrapped(xml).replace(b"<", b"&lt;"), b"<br>", "text/html"), attached(xml)))
    xml = report()
    c.put(mail(said(wrapped(xml)), b"Content-Type: message/rfc822\n\n" + mail(TEXT, attached(xml), boundary="in")))
    xml = report()
    c.put(mail(said(xml[:xml.index(b"<record>") + 20]), attached(xml)))
    # Another report is one of its own; and a document that breaks off gives way to the whole one.
    c.put(mail(said(report()), attached(report())))
    xml = report()
    c.put(mail(said(xml), attached(xml[:-12])))
    # Alternatives in words only are copies as any others.
    xml = report()
    c.put(mail(said(xml), said(xml, b">> "), said(xml, b"")))
    c = Case("C17 in words, TLS", "stored stored | 0/0/0 | mime | -",
             "SELECT count(*) || ' ' || string_agg(DISTINCT organization, ' ') FROM dmarc.tls_report WHERE domain = 'c17c.example'", "2 Re Porter")
    c.domain = "c17c.example"
    for name in (b"one", b"two"):
        tls = (b'{"organization-name":\n"Re Porter",\n"date-range":{"start-datetime":"2026-10-01T00:00:00Z","end-datetime":"2026-10-01T23:59:59Z"},\n'
               b'"contact-info":"t@reporter.example","report-id":"' + name + b'","policies":[{"policy":{"policy-type":"no-policy-found",\n'
               b'"policy-domain":"c17c.example"},"summary":{"total-successful-session-count":1,"total-failure-session-count":0}}]}\n')
        parts = [said(wrapped(tls)), part(gz(tls), "application/tlsrpt+gzip", "r.json.gz")]
        c.put(mail(*(parts if name == b"one" else reversed(parts))))


def over_limits():
    """A part over a limit costs itself and what follows it, and as many mails may be in a mail as a person forwards."""
    c = Case("C16 in front of a limit", "stored stored stored stored | 4/4/8 | - | limit")
    c.domain = "c16c.example"
    for bad in (b"X: " + b"y" * 70000 + b"\n\nx", b"X: y\n" * 2100 + b"\nx", b"Content-Type: multipart/mixed; boundary=c\n\n--c\n" * 40 + b"\nx"):
        c.put(mail(part(gz(c.xml()), "application/gzip"), bad))
    c.put(mail(part(gz(c.xml()), "application/gzip"), *[b"\n"] * 3000))
    c = Case("C18 many", "stored stored | 235/235/470 | - | -")
    c.domain = "c18d.example"
    head = HEAD + "".join(f"X-Header-{i}: of the way that it took\n" for i in range(60))
    for count in (35, 200):
        c.put(mail(TEXT, *[b"Content-Type: message/rfc822\n\n" + usual(gz(c.xml()), head=head, boundary=f"in{i}") for i in range(count)]))


def headers():
    """Who and what the header names is kept as evidence, and decides nothing."""
    what = "SELECT string_agg(concat_ws('/', coalesce(subject, '-'), coalesce(from_domain, '-')), ' ' ORDER BY source) FROM dmarc_store.message WHERE source LIKE '%/{}/%'"
    rows = [
        ("H1", ["Subject: Report domain: example.org Submitter: google.com Report-ID: 7"],
         "Report domain: example.org Submitter: google.com Report-ID: 7/reporter.example"),
        ("H2", ["Subject: Report Domain: example.org; Submitter: Mail.Ru;\n Report-ID: 12"],
         "Report Domain: example.org; Submitter: Mail.Ru; Report-ID: 12/reporter.example"),
        ("H3", ["Subject: Dmarc Aggregate Report Domain: {example.org}  Submitter: {Amazon SES}"],
         "Dmarc Aggregate Report Domain: {example.org}  Submitter: {Amazon SES}/reporter.example"),
        ("H4", ["Subject: =?utf-8?B?W1ByZXZpZXddIFJlcG9ydCBEb21haW46IGV4YW1wbGUub3Jn?="], "[Preview] Report Domain: example.org/reporter.example"),
        ("H5", ["Subject: FW: [EXTERNAL] [list] Report Domain: example.org"], "FW: [EXTERNAL] [list] Report Domain: example.org/reporter.example"),
        ("H7", ["Subject: Report Domain: example.org Submitter: reporter.example", "X-Nothing: x"],
         "Report Domain: example.org Submitter: reporter.example/reporter.example -/reporter.example"),
        ("H8", ["From:\nSubject: =?x-none?B?/////w==?=", "From: undisclosed <@>, \"\nSubject: x", "Subject: \udcff\udcfe"], None),
        ("H9", ["Subject: Report Domain: example.org Submitter: reporter.example Report-ID: <2026.10.01@reporter.example>\nTLS-Report-Domain: example.org"],
         "Report Domain: example.org Submitter: reporter.example Report-ID: <2026.10.01@reporter.example>/reporter.example"),
    ]
    for name, heads, answer in rows:
        n = len(heads)
        c = Case(name, f"{' '.join(['stored'] * n)} | {n}/{n}/{2 * n} | - | -", what.format(name) if answer else "", answer or "")
        for head in heads:
            who = "" if head.startswith("From:") else "From: dmarc@reporter.example\n"
            data = mail(TEXT, part(gz(c.xml()), "application/gzip"), head="Mark: x\nMIME-Version: 1.0\n")
            c.put(data.replace(b"Mark: x", (who + head).encode("utf-8", "surrogateescape")))
    c = Case("H6", "stored | 1/1/2 | - | -", "SELECT report_id FROM dmarc_store.report WHERE domain = 'h6.example'", "h6.example:1790812800")
    c.put(mail(TEXT, part(gz(c.xml(report_id="h6.example:1790812800")), "application/gzip"),
               head=subject("Report Domain: h6.example Submitter: reporter.example Report-ID: h6.example-1790812800@reporter.example")))


def identity():
    """Which report is which."""
    flags = "SELECT string_agg(id_collision::text, ' ' ORDER BY id) FROM dmarc_store.report WHERE domain = '{}.example'"
    c = Case("M8", "stored stored | 2/2/4 | - | -", flags.format("m8"), "false false")
    for begin in (BEGIN, BEGIN + DAY):
        c.put(usual(gz(c.xml(report_id="same", begin=begin))))
    c = Case("M9", "stored stored | 2/2/4 | - | -", flags.format("m9"), "false false")
    for email in ("a@one.example", "a@two.example"):
        c.put(usual(gz(c.xml(report_id="same", email=email))))
    c = Case("M10", "stored stored | 2/2/5 | - | -", flags.format("m10"), "false true")
    for count in (2, 3):
        c.put(usual(gz(c.xml({"count": count}, report_id="same"))))
    c = Case("M11", "stored duplicate duplicate duplicate | 1/1/2 | - | -", flags.format("m11"), "false")
    xml = c.xml()
    again = usual(gz(xml))
    # The same in another packing, byte for byte the same mail, and the same by another layout of the XML.
    c.put(again).put(usual(packed(xml), "r.zip", "application/zip")).put(again).put(usual(gz(xml.replace(b"><", b">\n  <"))))
    c = Case("M21", "stored stored | 2/2/4 | - | -", flags.format("m21"), "false false")
    for begin in (BEGIN, BEGIN + DAY // 2):
        c.put(usual(gz(c.xml(begin=begin))))
    c = Case("P11", "stored | 1/1/2 | - | -",
             "SELECT domain || ' ' || header_from || ' ' || dkim_aligned FROM dmarc.record WHERE domain = 'p11.example'", "p11.example news.p11.example true")
    c.put(usual(gz(c.xml({"header_from": "news.p11.example"}))))
    # Flagged, but only --trusted leaves it out of the figures: whoever gave a list of domains may have forgotten one.
    c = Case("P14", "stored stored | 2/2/4 | - | -",
             "SELECT string_agg(domain || ' ' || foreign_domain, ', ' ORDER BY domain) FROM dmarc_store.report WHERE domain LIKE '%p14.example'"
             " AND domain <> 'p14.example' UNION ALL SELECT string_agg(code || ' ' || domain, ', ') FROM dmarc.untrusted() WHERE domain LIKE '%p14.example'"
             " UNION ALL SELECT string_agg(domain, ' ') FROM dmarc.summary(NULL, NULL, NULL, true) WHERE domain LIKE '%p14.example'",
             "ours.p14.example false, theirs-p14.example true foreign_domain theirs-p14.example ours.p14.example")
    c.put(usual(gz(c.xml(domain="ours.p14.example")))).put(usual(gz(c.xml(domain="theirs-p14.example"))))


def documents():
    c = Case("X12", "stored stored | 3/3/6 | xml_trail | -")
    c.put(usual(gz(c.xml() + b"\n<html>scanned</html>"))).put(usual(gz(c.xml() + c.xml())))
    # The whole copy that comes later takes the place of the cut one; the ledger keeps both.
    c = Case("X13", "stored stored | 1/3/6 | - | -",
             "SELECT string_agg(concat_ws('/', record_count, incomplete, replaced, warnings::text), ' ' ORDER BY id) FROM dmarc_store.report WHERE domain = 'x13.example'",
             "2/t/t/{truncated} 3/f/f")
    whole = c.xml({"ip": "192.0.2.1"}, {"ip": "192.0.2.2"}, {"ip": "192.0.2.3"})
    c.put(usual(gz(whole[:whole.rindex(b"</identifiers>")]))).put(usual(gz(whole)), later=True)
    c = Case("R1", "stored | 1/0/0 | no_records | -")
    c.put(usual(gz(c.xml(""))))
    c = Case("R2", "stored | 1/1/2 | null_row | -", "SELECT records_seen::text FROM dmarc_store.report WHERE domain = 'r2.example'", "2")
    c.put(usual(gz(c.xml(NULL_ROW, {}))))
    each = ("SELECT string_agg(host(source_ip) || 'x' || message_count, ' ' ORDER BY ordinal) || ' of ' || (SELECT sum(messages) FROM dmarc.sources('{0}'))"
            " FROM dmarc.record WHERE domain = '{0}'")
    c = Case("R8", "stored | 1/5/5 | - | -", each.format("r8.example"), "192.0.2.1x1 192.0.2.1x1 192.0.2.1x1 192.0.2.1x1 192.0.2.1x1 of 5")
    c.put(usual(gz(c.xml(*[{"count": 1}] * 5))))
    c = Case("R9", "stored | 1/2/4 | - | -", each.format("r9.example"), "192.0.2.1x2 192.0.2.1x2 of 4")
    c.put(usual(gz(c.xml({}, {}))))
    c = Case("R12", "stored | 1/1/2 | - | -", "SELECT disposition FROM dmarc.record WHERE domain = 'r12.example'", "pass")
    c.put(usual(gz(c.xml({"disposition": "pass"}))))
    # Both ways: a pass that the results do not hold counts for nothing, and a fail that they contradict is not believed either.
    c = Case("R21", "stored stored | 2/2/4 | align_conflict | -",
             "SELECT string_agg(concat_ws('/', dkim_verdict, dkim_aligned, disagree), ' ' ORDER BY dkim_verdict DESC) FROM dmarc.record WHERE domain = 'r21.example'"
             " UNION ALL SELECT string_agg(messages::text || ' of ' || passed, ' ') FROM dmarc.summary('r21.example')",
             "pass/f/t fail/t/t 4 of 2")
    c.put(usual(gz(c.xml({"dkim": "pass", "auth": "<spf><domain>x.example</domain><result>fail</result></spf>"}))))
    c.put(usual(gz(c.xml({"dkim": "fail"}))))


def main():
    for make in (containers, forwarded, transfer, between_words, over_limits, headers, identity, documents):
        make()
    for case in Case.all:
        folder = os.path.join(sys.argv[1], case.name.replace(" ", "_"))
        os.makedirs(folder)
        for name, data in case.files:
            with open(os.path.join(folder, name), "wb") as out:
                out.write(data)
        print(case.name, case.ledger, case.sql, case.answer, sep="\t")


if __name__ == "__main__":
    main()
