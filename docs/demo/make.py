#!/usr/bin/python3
"""Writes the sample mailbox, docs/demo/mailbox, and what has to come out of it, docs/demo/truth.tsv.

The mails are kept beside this script, which is only needed to change them. Names and addresses are those that are set
aside for documentation, but for the operators that reporters and senders are known by.
"""
import base64
import calendar
import email.header
import email.utils
import gzip
import io
import os
import time
import zipfile
from xml.sax.saxutils import escape

HERE = os.path.dirname(os.path.abspath(__file__))
DAY = 86400

# What each group of sources is: policy domain, sender, class.
SENDERS = {
    "own": ("example.com", "own mail (selector mail2026)", "authorised"),
    "ses": ("example.com", "Amazon SES", "authorised"),
    "mailchimp": ("example.com", "Mailchimp", "misconfigured"),
    "pobox": ("example.com", "Pobox", "forwarded"),
    "list": ("example.com", "lists.example.net (not known)", "forwarded"),
    "spoofer": ("example.com", "nothing authenticates", "unknown"),
    "own-org": ("example.org", "own mail (selector s2026)", "authorised"),
    "workspace": ("example.org", "Google Workspace / Gmail", "authorised"),
    "sendgrid": ("example.org", "Twilio SendGrid", "misconfigured"),
    "alumni-org": ("example.org", "own mail (selector s2026)", "forwarded"),
    "spoofer-org": ("example.org", "nothing authenticates", "unknown"),
}
POLICY = {
    "example.com": {"p": "quarantine", "sp": "quarantine", "adkim": "r", "aspf": "r", "pct": "100", "np": "reject"},
    "example.org": {"p": "none", "sp": "none", "adkim": "r", "aspf": "r", "pct": "100", "np": "none"},
}
SES_SELECTOR = "hw3bqk7ocx2vmtz5rne6ysluaj4dpigf"


def seconds(day):
    return calendar.timegm(time.strptime(day, "%Y-%m-%d"))


def record(group, ip, count, dkim, spf, header_from=None, envelope_from=None, reason=None):
    """dkim: (domain, selector, result)...; spf: (domain, result). The verdicts follow by relaxed alignment."""
    domain = SENDERS[group][0]

    def aligned(name, result):
        return result == "pass" and (name == domain or name.endswith("." + domain))

    return {
        "group": group, "ip": ip, "count": count, "dkim": dkim, "spf": spf, "reason": reason,
        "header_from": header_from or domain, "envelope_from": envelope_from or spf[0],
        "dkim_pass": any(aligned(d, r) for d, _, r in dkim), "spf_pass": aligned(*spf),
    }


def own(count, ip="192.0.2.25"):
    return record("own", ip, count, [("example.com", "mail2026", "pass")], ("example.com", "pass"))


def ses(count, ip="198.51.100.17"):
    return record("ses", ip, count, [("example.com", SES_SELECTOR, "pass"), ("amazonses.com", "shh3fegwg5fppqsu", "pass")],
                  ("eu-west-1.amazonses.com", "pass"), header_from="news.example.com")


def mailchimp(count, ip="198.51.100.140"):
    return record("mailchimp", ip, count, [("mcsv.net", "k2", "pass")], ("mail140.atl81.mcsv.net", "pass"))


def pobox(count, ip="203.0.113.7"):
    return record("pobox", ip, count, [("example.com", "mail2026", "pass")], ("pobox.com", "pass"))


def mailing_list(count, ip="203.0.113.80"):
    return record("list", ip, count, [("example.com", "mail2026", "fail"), ("lists.example.net", "ml1", "pass")],
                  ("lists.example.net", "pass"), reason=("mailing_list", "list-id of lists.example.net"))


def trusted_list(count, ip="2001:db8:80::12"):
    return record("list", ip, count, [("example.com", "mail2026", "fail"), ("lists.example.net", "ml1", "pass")],
                  ("lists.example.net", "pass"), reason=("trusted_forwarder", "arc=pass"))


def spoofer(count, ip, result="softfail"):
    return record("spoofer", ip, count, [], ("example.com", result))


def own_org(count, ip="192.0.2.26"):
    return record("own-org", ip, count, [("example.org", "s2026", "pass")], ("example.org", "pass"))


def workspace(count, ip="2001:db8:4864:20::a32"):
    return record("workspace", ip, count, [("example-org.20230601.gappssmtp.com", "20230601", "pass")],
                  ("example.org", "pass"))


def sendgrid(count, ip="198.51.100.61"):
    return record("sendgrid", ip, count, [("sendgrid.net", "smtpapi", "pass")], ("sendgrid.net", "pass"))


def alumni_org(count, ip="203.0.113.60"):
    return record("alumni-org", ip, count, [("example.org", "s2026", "pass")], ("alumni.example.net", "pass"),
                  reason=("forwarded", "alias of alumni.example.net"))


def spoofer_org(count, ip):
    return record("spoofer-org", ip, count, [], ("mailer.example.net", "none"), envelope_from="mailer.example.net")


# How the reporters differ in what they write.
STYLES = {
    "google": {"tail": DAY - 1, "policy": "adkim aspf p sp pct np", "version": None, "identifiers": "header_from"},
    "microsoft": {"tail": DAY, "root": ' xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
                  ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"', "version": "1.0", "fo": "1",
                  "policy": "adkim aspf p sp pct", "identifiers": "envelope_to envelope_from header_from", "scope": "mfrom"},
    "yahoo": {"tail": DAY - 1, "policy": "adkim aspf p pct", "version": None, "identifiers": "header_from", "blank": "  \t"},
    "fastmail": {"tail": DAY - 1, "policy": "p sp pct", "version": "1.0", "identifiers": "header_from envelope_from",
                 "scope": "mfrom"},
    "gmx": {"tail": DAY - 1, "root": ' xmlns="urn:ietf:params:xml:ns:dmarc-2.0"', "policy": "p sp np adkim aspf",
            "version": "1.0", "fo": "0", "new": True, "scope": "mfrom",
            "identifiers": "header_from envelope_from envelope_to"},
    "mailru": {"tail": DAY, "policy": "adkim aspf p sp pct", "version": None, "identifiers": "header_from",
               "scope": "mfrom"},
    "opendmarc": {"tail": DAY - 1, "policy": "adkim aspf p sp pct", "version": None,
                  "identifiers": "envelope_from header_from", "scope": "mfrom", "indent": "\t"},
    "rspamd": {"tail": DAY - 1, "root": ' xmlns="urn:ietf:params:xml:ns:dmarc-2.0"', "policy": "p sp np adkim aspf",
               "version": "1.0", "new": True, "generator": "rspamd 3.14", "identifiers": "header_from",
               "no_declaration": True},
    "amazon": {"tail": DAY, "policy": "adkim aspf p sp pct", "version": "0.1", "fo": "0",
               "identifiers": "envelope_from header_from", "scope": "mfrom"},
}


def tag(name, value):
    return f"<{name}>{escape(str(value))}</{name}>"


def result_lines(style, rec):
    for domain, selector, result in rec["dkim"]:
        yield from ["      <dkim>", "        " + tag("domain", domain), "        " + tag("result", result),
                    "        " + tag("selector", selector), "      </dkim>"]
    yield from ["      <spf>", "        " + tag("domain", rec["spf"][0])]
    if "scope" in style:
        yield "        " + tag("scope", style["scope"])
    yield from ["        " + tag("result", rec["spf"][1]), "      </spf>"]


def record_lines(style, policy, rec):
    passed = rec["dkim_pass"] or rec["spf_pass"]
    disposition = "none"
    if passed and style.get("new") and policy["p"] != "none":
        disposition = "pass"
    elif not passed and not rec["reason"]:
        disposition = policy["p"]
    names = {"header_from": rec["header_from"], "envelope_from": rec["envelope_from"], "envelope_to": "recipient.example"}
    yield from ["  <record>", "    <row>", "      " + tag("source_ip", rec["ip"]), "      " + tag("count", rec["count"]),
                "      <policy_evaluated>", "        " + tag("disposition", disposition),
                "        " + tag("dkim", "pass" if rec["dkim_pass"] else "fail"),
                "        " + tag("spf", "pass" if rec["spf_pass"] else "fail")]
    if rec["reason"]:
        yield from ["        <reason>", "          " + tag("type", rec["reason"][0]),
                    "          " + tag("comment", rec["reason"][1]), "        </reason>"]
    yield from ["      </policy_evaluated>", "    </row>", "    <identifiers>"]
    for name in style["identifiers"].split():
        yield "      " + tag(name, names[name])
    yield from ["    </identifiers>", "    <auth_results>", *result_lines(style, rec), "    </auth_results>", "  </record>"]


def xml(style, org, address, report_id, domain, day, records, contact=None):
    begin, policy = seconds(day), POLICY[domain]
    lines = [] if "no_declaration" in style else ['<?xml version="1.0" encoding="UTF-8" ?>']
    lines += [f"<feedback{style.get('root', '')}>"]
    if style["version"]:
        lines.append("  " + tag("version", style["version"]))
    lines += ["  <report_metadata>", "    " + tag("org_name", org), "    " + tag("email", address)]
    if contact:
        lines.append("    " + tag("extra_contact_info", contact))
    lines += ["    " + tag("report_id", report_id), "    <date_range>", "      " + tag("begin", begin),
              "      " + tag("end", begin + style["tail"]), "    </date_range>"]
    if "generator" in style:
        lines.append("    " + tag("generator", style["generator"]))
    lines += ["  </report_metadata>", "  <policy_published>", "    " + tag("domain", domain)]
    lines += ["    " + tag(name, policy[name]) for name in style["policy"].split()]
    if "fo" in style:
        lines.append("    " + tag("fo", style["fo"]))
    if "new" in style:
        lines += ["    " + tag("testing", "n"), "    " + tag("discovery_method", "psl")]
    lines.append("  </policy_published>")
    for rec in records:
        lines += record_lines(style, policy, rec)
    lines.append("</feedback>")
    if "indent" in style:
        lines = [line.replace("  ", style["indent"]) for line in lines]
    return ("\n".join(line + style.get("blank", "") for line in lines) + "\n").encode()


def zipped(name, data):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo(name, (2026, 10, 1, 0, 0, 0))
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        archive.writestr(info, data)
    return out.getvalue()


def gzipped(data):
    return gzip.compress(data, mtime=0)


def base64_lines(data):
    return base64.encodebytes(data).decode().rstrip("\n")


def head(day, hour, sender, sender_host, ip, subject, message_id, to="dmarc-reports@example.com"):
    when = seconds(day) + DAY + hour * 3600
    date = email.utils.formatdate(when).replace("-0000", "+0000")
    domain = sender.rsplit("@", 1)[1].rstrip(">")
    return (f"Return-Path: <{email.utils.parseaddr(sender)[1]}>\n"
            f"Received: from {sender_host} ({sender_host} [{ip}])\n"
            f"\tby mx.example.com (Postfix) with ESMTPS id 4X{when % 99999:05d}Zq\n"
            f"\tfor <{to}>; {date}\n"
            f"Authentication-Results: mx.example.com; dkim=pass header.d={domain};\n"
            f"\tdmarc=pass header.from={domain}\n"
            f"Date: {date}\n"
            f"From: {sender}\n"
            f"To: {to}\n"
            f"Subject: {subject}\n"
            f"Message-ID: <{message_id}>\n"
            "MIME-Version: 1.0\n")


def single(media, name, data):
    return (f'Content-Type: {media}; name="{name}"\n'
            f'Content-Disposition: attachment; filename="{name}"\n'
            f"Content-Transfer-Encoding: base64\n\n{base64_lines(data)}\n")


def multipart(boundary, text, media, name, data, html=False):
    kind = "html" if html else "plain"
    return (f'Content-Type: multipart/mixed; boundary="{boundary}"\n\n'
            "This is a multi-part message in MIME format.\n"
            f"--{boundary}\nContent-Type: text/{kind}; charset=us-ascii\nContent-Transfer-Encoding: 7bit\n\n{text}\n\n"
            f'--{boundary}\nContent-Type: {media}{f"; name={chr(34)}{name}{chr(34)}" if name else ""}\n'
            f'Content-Disposition: attachment{f"; filename={chr(34)}{name}{chr(34)}" if name else ""}\n'
            f"Content-Transfer-Encoding: base64\n\n{base64_lines(data)}\n\n--{boundary}--\n")


def name_of(receiver, domain, day, style, extra=""):
    begin = seconds(day)
    return f"{receiver}!{domain}!{begin}!{begin + style['tail']}{extra}"


def google(domain, day, report_id, records):
    style, sender = STYLES["google"], "noreply-dmarc-support@google.com"
    name = name_of("google.com", domain, day, style)
    data = xml(style, "google.com", sender, report_id, domain, day, records, "https://support.google.com/a/answer/2466580")
    return head(day, 9, sender, "mail-dmarc.google.com", "198.51.100.201",
                f"Report domain: {domain} Submitter: google.com Report-ID: {report_id}", f"{report_id}@google.com"
                ) + single("application/zip", name + ".zip", zipped(name + ".xml", data))


def microsoft(domain, day, report_id, records, org="Outlook.com", again=""):
    style, sender = STYLES["microsoft"], "dmarcreport@microsoft.com"
    name = name_of("protection.outlook.com", domain, day, style) + ".xml.gz"
    data = xml(style, org, sender, report_id, domain, day, records)
    subject = f"[Preview] Report Domain: {domain} Submitter: protection.outlook.com Report-ID: {report_id}"
    encoded = email.header.Header(subject, "utf-8", maxlinelen=70).encode()
    return head(day, 14 + len(again), f'"DMARC Aggregate Report" <{sender}>', "mail-outbound.protection.outlook.com",
                "198.51.100.202", encoded, f"{report_id}{again}@odspmail.microsoft.com"
                ) + multipart(f"_mpm_{report_id[:16]}pia", '<div style="font-family:sans-serif">This is a DMARC aggregate'
                              f" report from Microsoft Corporation for {domain}.</div>", "application/gzip", name,
                              gzipped(data), html=True)


def yahoo(domain, day, report_id, records):
    style, sender = STYLES["yahoo"], "dmarchelp@yahooinc.com"
    name = name_of("yahoo.com", domain, day, style) + ".xml.gz"
    data = xml(style, "Yahoo", sender, report_id, domain, day, records)
    return head(day, 5, f'"noreply@dmarc.yahoo.com" <noreply@dmarc.yahoo.com>', "dmarc-report.mail.yahoo.com", "198.51.100.203",
                f"Report Domain: {domain} Submitter: yahoo.com Report-ID: <{report_id}>", f"{report_id}@dmarc.yahoo.com"
                ) + multipart(f"----=_Part_{report_id}", "This is an aggregate report from Yahoo.", "application/gzip", name,
                              gzipped(data))


def fastmail(domain, day, report_id, records, cut=None):
    style, sender = STYLES["fastmail"], "reports@fastmaildmarc.com"
    name = name_of("fastmail.com", domain, day, style, "!" + report_id) + ".xml.gz"
    data = gzipped(xml(style, "Fastmail Pty Ltd", sender, report_id, domain, day, records))[:cut]
    return head(day, 3, f"Fastmail DMARC reports <{sender}>", "out.fastmaildmarc.com", "198.51.100.204",
                f"Report Domain: {domain} Submitter: fastmail.com Report-ID: {report_id}", f"{report_id}@fastmaildmarc.com"
                ) + multipart(f"_----------={report_id}", "This is a DMARC aggregate report from Fastmail.",
                              "application/gzip", name, data)


def gmx(domain, day, report_id, records):
    style, sender = STYLES["gmx"], "noreply-dmarc@sicher.gmx.net"
    name = name_of("gmx.net", domain, day, style, "!" + report_id.split("@")[0]) + ".xml.gz"
    data = xml(style, "GMX", sender, report_id, domain, day, records, "https://postmaster.gmx.net/en/")
    return head(day, 1, sender, "mout-dmarc.gmx.net", "198.51.100.205",
                f"Report Domain: {domain}\n Submitter: gmx.net\n Report-ID: <{report_id}>", report_id
                ) + single("application/gzip", name, gzipped(data))


def mailru(domain, day, report_id, records):
    style, sender = STYLES["mailru"], "dmarc_support@corp.mail.ru"
    name = name_of("mail.ru", domain, day, style)
    data = xml(style, "Mail.Ru", sender, report_id, domain, day, records, "http://help.mail.ru/mail-help")
    return head(day, 2, sender, "relay.corp.mail.ru", "198.51.100.206",
                f"Report Domain: {domain}; Submitter: Mail.Ru;\n Report-ID: {report_id}", f"{report_id}@corp.mail.ru"
                ) + (f'Content-Type: multipart/mixed; boundary="{report_id}=="\n\n--{report_id}==\n'
                     "Content-Type: text/plain; charset=\"utf-8\"\nContent-Transfer-Encoding: base64\n\n"
                     + base64_lines(f"This is an aggregate report from Mail.Ru.\n".encode())
                     + f"\n\n--{report_id}==\nContent-Type: application/zip\nContent-Transfer-Encoding: base64\n"
                     f'Content-Disposition: attachment; filename="{name}.zip"\n\n'
                     + base64_lines(zipped(name + ".xml", data)) + f"\n\n--{report_id}==--\n")


def opendmarc(domain, day, serial, records):
    style, sender = STYLES["opendmarc"], "postmaster@mx.example.net"
    name = name_of("mx.example.net", domain, day, style)
    data = xml(style, "Example Networks", sender, f"{domain}:{serial}", domain, day, records)
    return head(day, 0, sender, "mx.example.net", "192.0.2.130",
                f"Report Domain: {domain} Submitter: mx.example.net Report-ID: {domain}-{serial}@mx.example.net",
                f"{domain}-{serial}@mx.example.net", "dmarc-reports@example.org"
                ) + multipart(f"report_section_{serial}", f"This is a DMARC aggregate report for {domain}\n"
                              f"generated by mx.example.net", "application/zip", name + ".zip", zipped(name + ".xml", data))


def rspamd(domain, day, report_id, records):
    style, sender = STYLES["rspamd"], "noreply-dmarc@mail.example.net"
    name = name_of("mail.example.net", domain, day, style) + ".xml"
    data = xml(style, "Mail Example", sender, report_id, domain, day, records).decode()
    return head(day, 4, f'"Mail Example" <{sender}>', "mail.example.net", "IPv6:2001:db8:99::25",
                f"Report Domain: {domain}\n\tSubmitter: mail.example.net\n\tReport-ID: <{report_id}>", report_id
                ) + (f'Content-Type: multipart/mixed; boundary="{report_id[:20]}"\n\n--{report_id[:20]}\n'
                     "Content-Type: text/plain; charset=us-ascii\n\nThis is an aggregate report from mail.example.net.\n\n"
                     f'--{report_id[:20]}\nContent-Type: text/xml; charset=utf-8; name="{name}"\n'
                     f'Content-Disposition: attachment; filename="{name}"\nContent-Transfer-Encoding: 8bit\n\n'
                     f"{data}\n--{report_id[:20]}--\n")


def amazon(domain, day, report_id, records):
    style, sender = STYLES["amazon"], "postmaster@amazonses.com"
    name = name_of("amazonses.com", domain, day, style) + ".xml.gz"
    data = gzipped(xml(style, "AMAZON-SES", sender, report_id, domain, day, records))
    return head(day, 6, sender, "a8-31.smtp-out.amazonses.com", "198.51.100.207",
                f"Dmarc Aggregate Report Domain: {{{domain}}} Submitter: {{Amazon SES}} Date: {{{day}}}\n"
                f" Report-ID: {{{report_id}}}", f"{report_id}-000000@eu-west-1.amazonses.com"
                ) + (f'Content-Type: multipart/mixed; boundary="----=_Part_{report_id[:8]}"\n\n------=_Part_{report_id[:8]}\n'
                     "Content-Type: text/plain; charset=us-ascii\nContent-Transfer-Encoding: 7bit\n\n"
                     f"This MIME email was sent through Amazon SES.\n\n------=_Part_{report_id[:8]}\n"
                     f"Content-Type: application/octet-stream;\n name*0={name[:40]};\n name*1={name[40:]}\n"
                     "Content-Transfer-Encoding: base64\nContent-Disposition: attachment;\n"
                     f" filename*0={name[:40]};\n filename*1={name[40:]}\n\n{base64_lines(data)}\n\n"
                     f"------=_Part_{report_id[:8]}--\n")


def bounce(day):
    return head(day, 11, "MAILER-DAEMON@relay.example.net (Mail Delivery System)", "relay.example.net", "192.0.2.140",
                "Undelivered Mail Returned to Sender", "20261010110000.4D3C2B1A@relay.example.net"
                ) + ('Content-Type: multipart/report; report-type=delivery-status; boundary="4D3C2B1A.1/relay"\n\n'
                     "--4D3C2B1A.1/relay\nContent-Type: text/plain; charset=us-ascii\n\n"
                     "This is the mail system at host relay.example.net.\n\n"
                     "I'm sorry to have to inform you that your message could not\nbe delivered to one recipient.\n\n"
                     "--4D3C2B1A.1/relay\nContent-Type: message/delivery-status\n\n"
                     "Reporting-MTA: dns; relay.example.net\nArrival-Date: Sat, 10 Oct 2026 10:59:58 +0000\n\n"
                     "Final-Recipient: rfc822; nobody@example.net\nAction: failed\nStatus: 5.1.1\n"
                     "Diagnostic-Code: smtp; 550 5.1.1 user unknown\n\n"
                     "--4D3C2B1A.1/relay\nContent-Type: message/rfc822\n\n"
                     "From: dmarc-reports@example.com\nTo: nobody@example.net\nSubject: Re: your DMARC reports\n"
                     "Date: Sat, 10 Oct 2026 10:59:57 +0000\nMessage-ID: <reply.1@example.com>\n\n"
                     "Thank you, we have switched on SPF.\n\n--4D3C2B1A.1/relay--\n")


BAD = ["203.0.113.201", "203.0.113.202", "203.0.113.214", "2001:db8:bad:1::c0de", "2001:db8:bad:2::c0de"]
com, org = "example.com", "example.org"

# (file, what makes the mail, its arguments; the records count once, whatever is sent twice)
MAILS = [
    ("01-google", google, com, "2026-09-28", "7316401295520086132",
     [own(412), own(38, "2001:db8:25::25"), ses(1870), mailchimp(96), pobox(7), spoofer(14, BAD[0])]),
    ("02-microsoft", microsoft, com, "2026-09-29", "5c1f0a6be2d64f3c9b7704be3d5a9c10",
     [own(266), ses(640, "198.51.100.18"), mailing_list(9), spoofer(22, BAD[1], "fail")]),
    ("03-yahoo", yahoo, com, "2026-09-30", "1790813204.118203", [own(120), ses(515), mailchimp(41), pobox(3)]),
    ("04-fastmail", fastmail, com, "2026-10-01", "184620371",
     [own(31), own(12, "2001:db8:25::25"), trusted_list(6), ses(44)]),
    ("05-gmx", gmx, com, "2026-10-02", "8c3e1f5207ab4d19@gmx.net",
     [own(58), ses(203), mailchimp(17), spoofer(5, BAD[3])]),
    ("06-mailru", mailru, com, "2026-10-04", "82950174163940172651790985600", [own(9), spoofer(61, BAD[2], "fail")]),
    ("07-opendmarc", opendmarc, org, "2026-10-05", "1791244811", [own_org(23), own_org(4, "2001:db8:25::26"), alumni_org(2)]),
    ("08-google", google, org, "2026-10-06", "2230117946501839974",
     [own_org(77), workspace(148), sendgrid(310), spoofer_org(8, "203.0.113.230")]),
    ("09-google", google, com, "2026-10-08", "15520086137316401295",
     [own(398), ses(1904), mailchimp(102), pobox(5), *[spoofer(n, ip) for n, ip in zip((1460, 1211, 742, 318, 97), BAD)]]),
    ("10-microsoft", microsoft, com, "2026-10-08", "e07b52d9143c4aa08f6c2b91d7e350f4",
     [own(281), ses(702), mailing_list(14), spoofer(860, BAD[0], "fail"), spoofer(433, BAD[4], "fail")]),
    ("11-microsoft-again", microsoft, com, "2026-10-08", "e07b52d9143c4aa08f6c2b91d7e350f4", None),
    ("12-bounce", bounce),
    ("13-yahoo", yahoo, org, "2026-10-10", "1791698403.772041", [own_org(19), sendgrid(88), workspace(35)]),
    ("14-gmx", gmx, org, "2026-10-11", "b41907fc66e34820@gmx.net", [own_org(11), workspace(26), sendgrid(40)]),
    ("15-fastmail-cut", fastmail, com, "2026-10-12", "184793552", None),
    ("16-rspamd", rspamd, com, "2026-10-13", "6f1c2a90e4.1791932400@mail.example.net",
     [own(16, "2001:db8:25::25"), mailing_list(3), spoofer(27, BAD[2])]),
    ("17-google", google, com, "2026-10-14", "9974653018223011794",
     [own(436), own(51, "2001:db8:25::25"), ses(1798), ses(212, "198.51.100.18"), mailchimp(99, "198.51.100.141"), pobox(8),
      mailing_list(4)]),
    ("18-microsoft", microsoft, org, "2026-10-15", "38a1d7c06be94f7592e4410c5f2d8b63",
     [own_org(42), sendgrid(156, "198.51.100.62"), alumni_org(1), spoofer_org(17, "203.0.113.231")]),
    ("19-amazon", amazon, com, "2026-10-17", "4f0c9e77-2b1d-4c6a-9a35-d8e1b6f20c44", [own(25), spoofer(3, BAD[1])]),
]


def build():
    """file name -> text of the mail, and the records that count."""
    mails, counted = {}, []
    for file, make, *arguments in MAILS:
        options = {}
        if file.endswith("-again"):
            arguments[-1] = next(m[-1] for m in MAILS if m[0] == "10-microsoft")
            options["again"] = "r"
        elif file.endswith("-cut"):
            arguments[-1] = [own(28), ses(39)]
            options["cut"] = 60
        elif make is not bounce:
            counted += arguments[-1]
        elif make is bounce:
            arguments = ["2026-10-09"]
        mails[file + ".eml"] = make(*arguments, **options)
    return mails, counted


def main():
    mails, counted = build()
    os.makedirs(os.path.join(HERE, "mailbox"), exist_ok=True)
    for name, text in mails.items():
        with open(os.path.join(HERE, "mailbox", name), "w", encoding="ascii", newline="\n") as out:
            out.write(text)
    with open(os.path.join(HERE, "truth.tsv"), "w", encoding="ascii", newline="\n") as out:
        print("domain", "sender", "class", "messages", "dkim_aligned", "spf_aligned", sep="\t", file=out)
        for group, (domain, sender, kind) in SENDERS.items():
            mine = [r for r in counted if r["group"] == group]
            print(domain, sender, kind, sum(r["count"] for r in mine), sum(r["count"] for r in mine if r["dkim_pass"]),
                  sum(r["count"] for r in mine if r["spf_pass"]), sep="\t", file=out)


if __name__ == "__main__":
    main()
