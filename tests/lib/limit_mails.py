#!/usr/bin/python3
"""Makes for each limit a mail that keeps it by default and breaks it when it is lowered.

    limit_mails.py DIR      writes DIR/default/* and DIR/lowered/*, the same but for the ids of their reports

and prints a line a limit: its name, a tab, the setting that lowers it, a tab, what must stand in the
ledger's reason or among the report's warnings, a tab, and a setting that holds in both runs.
"""
import os
import sys

from deviation_mails import TEXT, Case, alone, gz, mail, packed, part, record, usual

SPF = "<spf><domain>bounce.example.net</domain><result>pass</result></spf>"


def put_in(xml, more):
    """Something more at the start of the report."""
    return xml.replace(b"<feedback>", b"<feedback>" + more, 1)


def swapped(xml):
    """The records first."""
    head = xml.index(b"<report_metadata>")
    rows = xml.index(b"<record>")
    end = xml.index(b"</feedback>")
    return xml[:head] + xml[rows:end] + xml[head:rows] + xml[end:]


def tls(report_id):
    return ('{"organization-name":"Reporter","date-range":{"start-datetime":"2026-10-01T00:00:00Z","end-datetime":"2026-10-01T23:59:59Z"},'
            f'"contact-info":"t@reporter.example","report-id":"{report_id}","policies":[{{"policy":{{"policy-type":"no-policy-found",'
            '"policy-domain":"limits.example"},"summary":{"total-successful-session-count":1,"total-failure-session-count":0}}]}').encode()


def failure(number):
    return mail(TEXT, part(f"Feedback-Type: auth-failure\nUser-Agent: x/1\nVersion: 1\nAuth-Failure: dmarc\nReported-Domain: limits.example\n"
                           f"Original-Mail-From: <{number}@limits.example>\nArrival-Date: Thu, 01 Oct 2026 03:04:05 +0000\nSource-IP: 192.0.2.{number}\n"
                           .encode(), "message/feedback-report", encoding="7bit"),
                part(f"Subject: {number}\nFrom: a@limits.example\n".encode(), "text/rfc822-headers", encoding="7bit"),
                kind="multipart/report; report-type=feedback-report")


def json_mail(number):
    return mail(TEXT, part(gz(tls(f"tls-{number}")), "application/tlsrpt+gzip", "r.json.gz"))


def limits(c):
    """Name, lowered value, mail, what to find, and what else must be set."""
    comment = "<reason><type>other</type><comment>more than ten bytes</comment></reason></policy_evaluated>"
    number = [0]

    def next_number():
        number[0] += 1
        return c.ids * 100 + number[0]
    return [
        ("message_size", "1000", usual(gz(c.xml()))),
        ("message_parts", "1", usual(gz(c.xml()))),
        ("message_depth", "1", usual(gz(c.xml()))),
        ("message_headers", "3", usual(gz(c.xml()))),
        ("header_line", "60", usual(gz(c.xml()))),
        ("attachment_size", "100", usual(gz(c.xml()))),
        ("unpacked_size", "100", usual(gz(c.xml()))),
        ("unpacked_total", "65600", usual(gz(c.xml()))),
        ("unpack_ratio", "1", usual(gz(c.xml())), "unpack_ratio", "unpack_ratio_from=100"),
        ("unpack_ratio_from", "1000", usual(gz(c.xml(tail=" " * 2000000))), "unpack_ratio"),
        ("unpack_depth", "1", usual(gz(gz(c.xml())))),
        ("unpack_members", "1", usual(packed(("a.xml", c.xml()), ("b.xml", c.xml())), "r.zip", "application/zip")),
        ("xml_depth", "4", usual(gz(c.xml()))),
        ("xml_tag", "40", usual(gz(put_in(c.xml(), b'<x a="an attribute that makes this tag too long"/>')))),
        ("xml_attributes", "1", usual(gz(put_in(c.xml(), b'<x a="1" b="2" c="3"/>')))),
        ("xml_unknown", "2", usual(gz(put_in(c.xml(), b"<x/><y/><z/>")))),
        ("xml_repair", "100", usual(gz(put_in(c.xml(), b"a & b")))),
        ("failure_size", "50", failure(next_number())),
        ("json_size", "50", json_mail(next_number())),
        ("json_depth", "2", json_mail(next_number())),
        ("json_values", "3", json_mail(next_number())),
        ("records", "2", usual(gz(c.xml({}, {}, {})))),
        ("text_length", "20", alone(c.xml(email="a-name-that-is-too-long@reporter.example"), "text/xml", encoding="8bit")),
        ("prose_length", "5", usual(gz(c.xml(record(domain="limits.example").replace("</policy_evaluated>", comment)))), "text_cut"),
        ("auth_results", "1", usual(gz(c.xml({"auth": SPF + SPF}))), "auth_many"),
        ("head_wait", "1", usual(gz(swapped(c.xml({}, {}, {}))))),
        ("report_seconds", "0", usual(gz(c.xml()))),
    ]


def main():
    case = Case("limits", "")
    for run in ("default", "lowered"):
        folder = os.path.join(sys.argv[1], run)
        os.makedirs(folder)
        for name, value, data, *more in limits(case):
            with open(os.path.join(folder, name + ".eml"), "wb") as out:
                out.write(data)
            found, both = (more + [name, ""][len(more):])
            if run == "lowered":
                print(name, f"{name}={value}", found, both, sep="\t")


main()
