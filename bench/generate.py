#!/usr/bin/python3
"""Makes DMARC aggregate reports to measure and to test with, and the truth about them.

The same options give the same bytes. The shapes are those of real mailboxes: half of the reports have one record and a few
have hundreds, half of the records carry two DKIM results and some a dozen, few domains and few reporters make most of the
mail, a source says the same again and again. Both generations of the format, gzip and zip, mails of one part and of several.

The truth is a table: for each policy domain, and for all as "*", the mails (doubles included), and of every report once the
reports, records, messages, and messages whose DKIM and SPF identity aligned. What the reports claim and what follows from
their authentication results is the same.
"""
import argparse
import base64
import calendar
import gzip
import io
import os
import random
import re
import sys
import time
import zipfile

DAY = 86400
LAST_DAY = calendar.timegm((2026, 10, 31, 0, 0, 0))
NAMESPACE = "urn:ietf:params:xml:ns:dmarc-2.0"

# Senders that sign as themselves: d=, selector, MAIL FROM domain.
SERVICES = [
    ("amazonses.com", "6gbrjpgwjskckoa6a5zn6fwqkn67xbtw", "eu-west-1.amazonses.com"),
    ("sendgrid.net", "smtpapi", "sendgrid.net"),
    ("mcsv.net", "k2", "mail140.atl81.mcsv.net"),
    ("mailer.example.net", "s1", "bounce.mailer.example.net"),
    ("lists.example.net", "ml1", "lists.example.net"),
]
KINDS = 40  # the more, the more kinds of mail a domain has
REPORTERS = ["google.com", "outlook.com", "yahoo.com", "mail.ru", "gmx.net", "web.de", "fastmail.com", "amazonses.com"]


def zipf(n, exponent=1.0):
    """Cumulative weights of ranks 1..n."""
    total, weights = 0.0, []
    for rank in range(1, n + 1):
        total += rank ** -exponent
        weights.append(total)
    return weights


def organizational(name):
    """Enough of the Public Suffix List for the names that are made here."""
    return ".".join(name.split(".")[-2:])


def aligned(name, header_from, strict):
    return name == header_from if strict else organizational(name) == organizational(header_from)


class Domain:
    """A policy domain: what it publishes, and the sources that send as it."""

    def __init__(self, rng, rank):
        self.name = f"brand{rank:05d}.example"
        self.p = rng.choice(["none", "quarantine", "reject"])
        self.adkim = "s" if rng.random() < 0.1 else "r"
        self.aspf = "s" if rng.random() < 0.1 else "r"
        self.sources = []  # (address, kind)
        self.kinds = {}  # those that are alike are kept once: millions of records have a million sources

    def source(self, rng):
        """One of its sources; old ones are more likely, and new ones keep coming. What a new one sends is mostly like what
        another one does: real domains with some thousand records have about a hundred kinds, and hundreds of addresses."""
        if len(self.sources) < 4 or rng.random() < 0.15:
            where = address(rng)
            if rng.random() * (len(self.sources) + KINDS) < KINDS:
                kind = Kind(rng, self)
                kind = self.kinds.setdefault(kind.key(), kind)
            else:
                kind = rng.choice(self.sources)[1]
            self.sources.append((where, kind))
            return self.sources[-1]
        return self.sources[int(len(self.sources) * rng.random() ** 2)]


def address(rng):
    if rng.random() < 0.2:
        return f"2001:db8:{rng.getrandbits(16):x}:{rng.getrandbits(4):x}::{rng.getrandbits(16):x}"
    n = rng.getrandbits(22)
    return f"100.{64 + (n >> 16)}.{n >> 8 & 255}.{n & 255}"


class Kind:
    """What a source's mail looks like: everything of a record but the address and the count."""

    def __init__(self, rng, domain):
        self.header_from = domain.name if rng.random() < 0.8 else f"{rng.choice(['news', 'shop', 'mail'])}.{domain.name}"
        service = rng.choice(SERVICES)
        good, genuine = rng.random(), rng.random() < 0.75
        self.spf = (domain.name, "pass" if genuine else "softfail") if good < 0.5 else (service[2], "pass")
        self.scope = "helo" if rng.random() < 0.02 else "mfrom"
        self.dkim = []
        for i in range(signatures(rng)):
            if genuine and i == 0:
                self.dkim.append((self.header_from if rng.random() < 0.5 else domain.name, f"sel{rng.randrange(4)}", "pass"))
            elif i == 0:
                self.dkim.append((domain.name, f"sel{rng.randrange(4)}", rng.choice(["fail", "temperror", "neutral"])))
            else:
                other = service if i == 1 else (f"relay{i}.example.net", f"r{i}", None)
                self.dkim.append((other[0], other[1], "pass" if rng.random() < 0.9 else "fail"))
        self.dkim_aligned = any(r == "pass" and aligned(d, self.header_from, domain.adkim == "s") for d, _, r in self.dkim)
        self.spf_aligned_mfrom = self.spf[1] == "pass" and aligned(self.spf[0], self.header_from, domain.aspf == "s")
        self.reason = rng.random() < 0.03
        self.policy = domain.p
        self.texts = {}

    def key(self):
        return self.header_from, self.spf, self.scope, self.reason, *self.dkim

    def spf_aligned(self, new):
        """RFC 9990 knows no scope helo."""
        return self.spf_aligned_mfrom and (new or self.scope == "mfrom")

    def text(self, new, dense=False):
        """The record as two pieces around the address and the count; dense without indentation."""
        if new not in self.texts:
            pieces = self.make_text(new)
            self.texts[new] = [re.sub("(?m)^ +", "", piece) for piece in pieces] if dense else pieces
        return self.texts[new]

    def make_text(self, new):
        spf_aligned = self.spf_aligned(new)
        passed = self.dkim_aligned or spf_aligned
        disposition = self.policy if not passed and not self.reason else "pass" if passed and new else "none"
        return record_text(self.header_from, self.dkim, [(self.spf[0], "mfrom" if new else self.scope, self.spf[1])], self.spf[0],
                           ("local_policy", "arc=pass") if self.reason else None, disposition, self.dkim_aligned, spf_aligned)


def record_text(header_from, dkim, spf, envelope_from, reason, disposition, dkim_passed, spf_passed):
    """A record as two pieces around its address and its count. dkim: (domain, selector, result); spf: (domain, scope, result)."""
    lines = ["      <policy_evaluated>", f"        <disposition>{disposition}</disposition>",
             f"        <dkim>{'pass' if dkim_passed else 'fail'}</dkim>",
             f"        <spf>{'pass' if spf_passed else 'fail'}</spf>"]
    if reason:
        lines += ["        <reason>", f"          <type>{reason[0]}</type>", f"          <comment>{reason[1]}</comment>",
                  "        </reason>"]
    lines += ["      </policy_evaluated>", "    </row>", "    <identifiers>",
              f"      <header_from>{header_from}</header_from>",
              f"      <envelope_from>{envelope_from}</envelope_from>", "    </identifiers>", "    <auth_results>"]
    for name, selector, result in dkim:
        lines += ["      <dkim>", f"        <domain>{name}</domain>", f"        <selector>{selector}</selector>",
                  f"        <result>{result}</result>", "      </dkim>"]
    for name, scope, result in spf:
        lines += ["      <spf>", f"        <domain>{name}</domain>", f"        <scope>{scope}</scope>",
                  f"        <result>{result}</result>", "      </spf>"]
    lines += ["    </auth_results>", "  </record>"]
    return "  <record>\n    <row>\n      <source_ip>", "</count>\n" + "\n".join(lines) + "\n"


def signatures(rng):
    """DKIM results of a record: two in 53 of 100, up to 12."""
    x = rng.random()
    if x < 0.53:
        return 2
    if x < 0.81:
        return 1
    if x < 0.90:
        return 0
    return min(12, 3 + int(rng.expovariate(0.7)))


def messages(rng):
    """Heavy-tailed, at least one."""
    return min(1_000_000, int(rng.paretovariate(0.9)))


def record_count(rng, mean):
    """Half of the reports have one; the others so many that the mean is met."""
    if mean <= 1 or rng.random() < 0.5:
        return 1
    rest, sigma = 2 * mean - 1, 1.2
    # Two at least, and a log-normal number more with the mean that is left.
    return 2 + int(min(rng.lognormvariate(0, sigma) * max(rest - 1.5, 0) / 2.054, 200 * mean))


class Truth:
    COLUMNS = ("mails", "reports", "records", "messages", "dkim_aligned", "spf_aligned")

    def __init__(self):
        self.rows = {}

    def add(self, domain, *figures):
        row = self.rows.setdefault(domain, [0] * len(self.COLUMNS))
        for i, figure in enumerate(figures):
            row[i] += figure

    def write(self, file):
        print("domain", *self.COLUMNS, sep="\t", file=file)
        print("*", *(sum(row[i] for row in self.rows.values()) for i in range(len(self.COLUMNS))), sep="\t", file=file)
        for domain in sorted(self.rows):
            print(domain, *self.rows[domain], sep="\t", file=file)


class Report:
    def __init__(self, rng, serial, reporter, domain, begin, new, records):
        self.rng, self.reporter, self.domain, self.begin, self.new = rng, reporter, domain, begin, new
        self.end = begin + DAY - rng.randrange(2)
        self.report_id = f"{serial}.{rng.getrandbits(48):x}" + (f"@{reporter}" if new else "")
        self.records, self.sums = records, [0, 0, 0]
        self.name = f"{reporter}!{domain.name}!{begin}!{self.end}"

    def head(self):
        d = self.domain
        lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<feedback xmlns="{NAMESPACE}">' if self.new else "<feedback>",
                 "  <version>1.0</version>", "  <report_metadata>", f"    <org_name>{self.reporter}</org_name>",
                 f"    <email>dmarc-noreply@{self.reporter}</email>", f"    <report_id>{self.report_id}</report_id>",
                 f"    <date_range>\n      <begin>{self.begin}</begin>\n      <end>{self.end}</end>\n    </date_range>"]
        lines += ["    <generator>reports 2.1</generator>"] if self.new else []
        lines += ["  </report_metadata>", "  <policy_published>", f"    <domain>{d.name}</domain>",
                  f"    <adkim>{d.adkim}</adkim>", f"    <aspf>{d.aspf}</aspf>", f"    <p>{d.p}</p>", f"    <sp>{d.p}</sp>"]
        lines += ["    <testing>n</testing>", "    <discovery_method>psl</discovery_method>"] if self.new else [
            "    <pct>100</pct>", "    <fo>0</fo>"]
        return "\n".join(lines) + "\n  </policy_published>\n"

    def texts(self, fresh):
        """The document in pieces. With `fresh`, kinds, each record has an address of its own."""
        rng, sums, indent = self.rng, self.sums, "" if fresh else "      "
        yield self.head()
        for _ in range(self.records):
            where, kind = self.domain.source(rng) if not fresh else (address(rng), rng.choice(fresh))
            count = messages(rng)
            before, after = kind.text(self.new, bool(fresh))
            sums[0] += count
            if kind.dkim_aligned:
                sums[1] += count
            if kind.spf_aligned(self.new):
                sums[2] += count
            yield f"{before}{where}</source_ip>\n{indent}<count>{count}{after}"
        yield "</feedback>\n"


def zipped(name, data):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def mail(rng, report, data, copy):
    """The report as a mail: gzip or zip, alone or beside a text."""
    use_gzip, several = rng.random() < 0.5, rng.random() < 0.5
    packed = gzip.compress(data, 6, mtime=0) if use_gzip else zipped(report.name + ".xml", data)
    name, media = (report.name + ".xml.gz", "application/gzip") if use_gzip else (report.name + ".zip", "application/zip")
    date = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(report.end + 3600 * (1 + 24 * copy)))
    part = (f'Content-Type: {media}; name="{name}"\nContent-Transfer-Encoding: base64\n'
            f'Content-Disposition: attachment; filename="{name}"\n\n' + base64.encodebytes(packed).decode())
    head = (f"Received: from mx.{report.reporter} (mx.{report.reporter} [192.0.2.{rng.randrange(1, 255)}])\n"
            f"\tby mx.example.com with ESMTPS id {rng.getrandbits(40):010x}; {date}\n"
            f"Date: {date}\nFrom: dmarc-noreply@{report.reporter}\nTo: dmarc-reports@example.com\n"
            f"Subject: Report Domain: {report.domain.name} Submitter: {report.reporter} Report-ID: <{report.report_id}>\n"
            f"Message-ID: <{report.report_id.split('@')[0]}.{copy}@{report.reporter}>\nMIME-Version: 1.0\n")
    if not several:
        return (head + part).encode()
    mark = f"=_{rng.getrandbits(64):016x}"
    return (f'{head}Content-Type: multipart/mixed; boundary="{mark}"\n\n--{mark}\nContent-Type: text/plain; charset=us-ascii\n\n'
            f"This is an aggregate report for {report.domain.name}.\n\n--{mark}\n{part}\n--{mark}--\n").encode()


class Files:
    """A directory with a file for each mail; with `maildir`, a Maildir."""

    def __init__(self, path, maildir):
        self.path, self.maildir = path, maildir
        for name in ("cur", "new", "tmp") if maildir else ("",):
            os.makedirs(os.path.join(path, name), exist_ok=True)

    def add(self, serial, data):
        name = os.path.join("new", f"1790000000.M{serial}.bench") if self.maildir else f"{serial:07d}.eml"
        with open(os.path.join(self.path, name), "wb") as file:
            file.write(data)

    def close(self):
        pass


class Mbox:
    """An mbox; with `split`, one for each so many mails."""

    def __init__(self, path, split):
        self.path, self.split, self.file = path, split, None if split else open(path, "wb")

    def add(self, serial, data):
        if self.split and (serial - 1) % self.split == 0:
            if self.file:
                self.file.close()
            self.file = open(f"{self.path}.{(serial - 1) // self.split:04d}", "wb")
        quoted = b"".join(b">" + line if line.lstrip(b">").startswith(b"From ") else line for line in data.splitlines(True))
        self.file.write(b"From MAILER-DAEMON Sun Nov  1 00:00:00 2026\n" + quoted + b"\n")

    def close(self):
        self.file.close()


def generate(options, truth):
    rng = random.Random(options.seed)
    domains = [Domain(rng, i + 1) for i in range(options.domains)]
    domain_weights = zipf(len(domains))
    reporters = (REPORTERS + [f"mx{i}.example.net" for i in range(1, 201)])[:options.reporters]
    reporter_weights = zipf(len(reporters))
    out = Mbox(options.mbox, options.split) if options.mbox else Files(options.maildir or options.out, options.maildir is not None)
    doubles = sorted(rng.randrange(options.reports) for _ in range(int(options.reports * options.duplicates)))
    serial = 0
    for i in range(options.reports):
        domain = rng.choices(domains, cum_weights=domain_weights)[0]
        reporter = rng.choices(reporters, cum_weights=reporter_weights)[0]
        records = options.fixed or record_count(rng, options.records_mean)
        report = Report(rng, i + 1, reporter, domain, LAST_DAY - DAY * rng.randrange(options.days),
                        rng.random() < 0.5 and not options.old, records)
        data = "".join(report.texts(None)).encode()
        copies = 1
        while doubles and doubles[0] == i:
            doubles.pop(0)
            copies += 1
        for copy in range(copies):
            serial += 1
            out.add(serial, mail(rng, report, data, copy))
        truth.add(domain.name, copies, 1, records, *report.sums)
    out.close()


def generate_xml(options, truth):
    """One report of many records, streamed."""
    rng = random.Random(options.seed)
    domain = Domain(rng, 1)
    kinds = [Kind(rng, domain) for _ in range(2000)]
    records = options.fixed or 1_000_000
    report = Report(rng, 1, REPORTERS[0], domain, LAST_DAY, False, records)
    with open(options.xml, "wb") as raw:
        out = gzip.GzipFile("", "wb", 6, raw, mtime=0) if options.gz else raw
        batch = []
        for text in report.texts(kinds):
            batch.append(text)
            if len(batch) == 2000:
                out.write("".join(batch).encode())
                batch.clear()
        out.write("".join(batch).encode())
        if options.gz:
            out.close()
    truth.add(domain.name, 1, 1, records, *report.sums)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--out", metavar="DIR", help="a file for each mail")
    where.add_argument("--maildir", metavar="DIR", help="a Maildir, all mails in new/")
    where.add_argument("--mbox", metavar="FILE")
    where.add_argument("--xml", metavar="FILE", help="one bare report (of --fixed records, else 1,000,000)")
    parser.add_argument("--split", type=int, default=0, metavar="N", help="with --mbox: FILE.0000 and so on, of N mails each")
    parser.add_argument("--truth", metavar="FILE", help="where the truth goes (default: standard output)")
    parser.add_argument("--reports", type=int, default=1000)
    parser.add_argument("--records-mean", type=float, default=4.0)
    parser.add_argument("--fixed", type=int, default=0, metavar="N", help="so many records in every report")
    parser.add_argument("--domains", type=int, default=50)
    parser.add_argument("--reporters", type=int, default=200, help="at most 208")
    parser.add_argument("--days", type=int, default=30, help="the periods spread over so many days up to 2026-10-31")
    parser.add_argument("--duplicates", type=float, default=0.0, metavar="SHARE", help="so many more mails bring a report again")
    parser.add_argument("--old", action="store_true", help="only the format of RFC 7489, without a namespace")
    parser.add_argument("--gz", action="store_true", help="gzip what --xml writes")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    truth = Truth()
    if options.xml:
        generate_xml(options, truth)
    else:
        generate(options, truth)
    if options.truth:
        with open(options.truth, "w", encoding="ascii") as file:
            truth.write(file)
    else:
        truth.write(sys.stdout)


if __name__ == "__main__":
    main()
