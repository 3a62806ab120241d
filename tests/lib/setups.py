#!/usr/bin/python3
"""Plays tests/setups.txt: setups.py write DIRECTORY makes its aggregate reports, one a domain, and setups.py compare
SOURCES SENDERS looks at what whosends says of them, as CSV, and writes TAP. Each row comes from an address of its own."""
import csv
import ipaddress
import os
import re
import sys
from xml.sax.saxutils import escape

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "setups.txt")
FORGER = "forger.test"
# What is no pass: of SPF, and of DKIM.
FAILURES = (("fail", "softfail", "neutral", "none", "temperror", "permerror"),
            ("fail", "none", "policy", "neutral", "temperror", "permerror"))


class Row:
    def __init__(self, claims, wanted, forged=False):
        self.claims, self.wanted, self.forged = claims, wanted, forged
        self.dkim, self.spf = [], []
        self.header_from = self.reason = None
        for claim in claims:
            kind, value = claim.split("=", 1)
            if kind == "d":
                self.dkim.append(value.split("/"))
            elif kind in ("spf", "helo"):
                name, result = value.split("/")
                self.spf.append((name, "mfrom" if kind == "spf" else "helo", result))
            elif kind == "from":
                self.header_from = value
            elif kind == "reason":
                self.reason = value
            else:
                sys.exit(f"no such claim: {claim}")


class Domain:
    def __init__(self, name, policy):
        self.name, self.policy, self.rows, self.advice = name, policy, [], []


def forgeries(claims, number):
    """The claims of a row by somebody who cannot make them pass; by one who signs beside it; and by one who makes names
    and selectors pass that look alike. Each with what it must be called."""
    nothing, lookalike, selectors = [], [], []
    for claim in claims:
        kind, value = claim.split("=", 1)
        if kind == "from":
            for forged in (nothing, lookalike, selectors):
                forged.append(claim)
        elif kind != "reason":
            results = FAILURES[kind == "d"]
            nothing.append(re.sub("[a-z]+$", results[number % len(results)], claim))
            name, rest = re.sub("/[a-z]+$", "/pass", value).split("/", 1)
            lookalike.append(f"{kind}={name}.{FORGER}/{rest}")
            selectors.append(f"{kind}={FORGER}/{rest}")
    return ((nothing, "nothing authenticates"), ([f"d={FORGER}/mte1/pass"] + nothing, f"{FORGER} (not known)"),
            (lookalike, f".{FORGER} (not known)"), (selectors, f"{FORGER} (not known)"))


def read():
    domains = []
    for line in open(TABLE, encoding="ascii"):
        line = line.rstrip("\n")
        if not line or line.startswith("#"):
            continue
        if line.startswith("domain "):
            name, *policy = line.split()[1:]
            domains.append(Domain(name, dict(tag.split("=") for tag in policy)))
            continue
        domain = domains[-1]
        line = line.replace("@", domain.name)
        if line.startswith("advice "):
            domain.advice.append(line[len("advice "):].split(": ", 1))
            continue
        claims, wanted = line.split(" : ")
        claims = claims.split()
        domain.rows.append(Row(claims, tuple(wanted.split(", ", 1))))
        for forged, name in forgeries(claims, len(domain.rows)):
            domain.rows.append(Row(forged, ("unknown", name), True))
    return domains


def addressed(domains):
    """Each row with its domain and its address."""
    address = ipaddress.ip_address("2001:db8::1")
    for domain in domains:
        for row in domain.rows:
            yield domain, row, str(address)
            address += 1


def aligned(domain, row, name, tag):
    header_from = row.header_from or domain.name
    if domain.policy.get(tag) == "s":
        return name == header_from
    return name.split(".")[-2:] == header_from.split(".")[-2:]


def tagged(name, value):
    return f"<{name}>{escape(str(value))}</{name}>"


def record(domain, row, address):
    dkim = any(r == "pass" and aligned(domain, row, d, "adkim") for d, _, r in row.dkim)
    spf = any(r == "pass" and s == "mfrom" and aligned(domain, row, d, "aspf") for d, s, r in row.spf)
    reason = f"<reason>{tagged('type', row.reason)}</reason>" if row.reason else ""
    return (f"<record><row>{tagged('source_ip', address)}<count>1</count><policy_evaluated><disposition>none</disposition>"
            + tagged("dkim", "pass" if dkim else "fail") + tagged("spf", "pass" if spf else "fail") + reason
            + "</policy_evaluated></row><identifiers>" + tagged("header_from", row.header_from or domain.name)
            + "</identifiers><auth_results>"
            + "".join(f"<dkim>{tagged('domain', d)}{tagged('selector', s)}{tagged('result', r)}</dkim>" for d, s, r in row.dkim)
            + "".join(f"<spf>{tagged('domain', d)}{tagged('scope', s)}{tagged('result', r)}</spf>" for d, s, r in row.spf)
            + "</auth_results></record>\n")


def write(directory):
    reports = {}
    for domain, row, address in addressed(read()):
        reports.setdefault(domain, []).append(record(domain, row, address))
    for domain, records in reports.items():
        policy = "".join(tagged(tag, domain.policy.get(tag, "r")) for tag in ("adkim", "aspf"))
        with open(os.path.join(directory, domain.name + ".xml"), "w", encoding="ascii") as out:
            out.write('<?xml version="1.0" encoding="UTF-8"?>\n<feedback><report_metadata><org_name>Reporter</org_name>'
                      f"<email>dmarc@reporter.example</email>{tagged('report_id', domain.name)}"
                      "<date_range><begin>1790812800</begin><end>1790899199</end></date_range></report_metadata>\n"
                      f"<policy_published>{tagged('domain', domain.name)}{policy}<p>none</p><pct>100</pct></policy_published>\n"
                      + "".join(records) + "</feedback>\n")


def compare(sources, senders):
    with open(sources, encoding="ascii") as file:
        found = {row["source_ip"]: (row["class"], row["sender"]) for row in csv.DictReader(file)}
    with open(senders, encoding="ascii") as file:
        advice = {(row["domain"], row["sender"]): row["advice"] for row in csv.DictReader(file)
                  if row["class"] == "misconfigured"}
    domains, count, failed = read(), 0, 0
    wrong = {domain: ([], [], []) for domain in domains}
    for domain, row, address in addressed(domains):
        kind, sender = found.pop(address, ("missing", "missing"))
        right = kind == row.wanted[0] and (sender.endswith(row.wanted[1]) if row.forged else sender == row.wanted[1])
        if not right:
            line = f"{' '.join(row.claims)}: {kind}, {sender}; wanted: {', '.join(row.wanted)}"
            wrong[domain][2 if row.forged else 0].append(line)
    for domain in domains:
        for sender, text in domain.advice:
            said = advice.get((domain.name, sender), "nothing")
            if (said != text[1:]) if text.startswith("=") else (text not in said):
                wrong[domain][1].append(f"{sender}: {said}; wanted: {text}")
        for what, lines in zip(("sender and class", "advice", "forgeries"), wrong[domain]):
            if what == "advice" and not domain.advice:
                continue
            count += 1
            failed += bool(lines)
            print(f"{'not ' if lines else ''}ok {count} - {domain.name}: {what}")
            print("".join(f"# {line}\n" for line in lines), end="")
    count += 1
    failed += bool(found)
    print(f"{'not ' if found else ''}ok {count} - there are no other addresses")
    print(f"1..{count}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(write(sys.argv[2]) if sys.argv[1] == "write" else compare(*sys.argv[2:]))
