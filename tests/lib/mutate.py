"""Makes other reports out of reports: well-formed ones that say it otherwise or say odd things, and damaged ones.

Everything follows from the random generator that is passed in.
"""
import copy
import re
import xml.etree.ElementTree as ET

RESULTS = ["pass", "Pass", " PASS ", "fail", "p_ass", "pas s", "passed", "none", "neutral", "softfail", "hardfail", "unknown",
           "error", "invalid", "nxdomain", "signed", "discard", "perm_error", "Temp-Error", "temperror", "permerror", "bestguesspass",
           "policy", "", "fail pass", "pass\u00a0", "\u0440ass"]
NAMES = ["example.com", "Example.COM.", "mail.example.com", "example.co.uk", "user@example.org", "<a@example.net>", "b\u00fccher.example",
         "no name", "", "-", ".", "a..b", "x" * 64 + ".example", "example.com, example.net", "\"A\" <a@example.com>", "_dmarc.example.com",
         "192.0.2.1", "@example.com", "example.com;x"]
WORDS = {
    "result": RESULTS, "dkim": RESULTS, "spf": RESULTS,
    "disposition": ["none", "None", "pass", "Pass", "pa ss", "quarantine", "REJECT", "softfail", "unknown", "", " quarantine "],
    "source_ip": ["192.0.2.1", "192.0.2.01", "::FFFF:192.0.2.7", "[2001:db8::1]", "2001:DB8:0:0:0:0:0:1", "fe80::1%eth0", "X.X.X.X", "", "unknown",
                  "1.2.3", "192.0.2.1 ", "192.0.2.1:25", "[2001:db8::1]:25", "[IPv6:2001:db8::1]", "[192.0.2.9", "192.0.2.9]", "300.1.1.1", "::1", "2001:db8::192.0.2.33", "::ffff:0:1"],
    "count": ["1", "0", "-1", "-0", "1.0", "+7", "007", "", "abc", "1e3", "1.5E+2", "-1e3", "1e30", "12,34", "100000000000", "100000000001", "9" * 19, "1,000", "2 3", "0.9", "."],
    "begin": ["0", "1538204542.0", "1700000000000", "-5", "", "x", "2026-10-01T00:00:00Z", "99999999999999999999", " 1700000000 "],
    "end": ["0", "1538204542", "1700000000000000", "", "y", "2026-10-02T23:59:59Z", "5"],
    "type": ["forwarded", "Local_Policy", "local-policy", "trusted forwarder", "", "arc", "mailing_list", "sampled_out", "other"],
    "comment": ["", "arc=pass", "x y"],
    "scope": ["mfrom", "helo", "MAIL FROM", "mailfrom", "pra", "", "EHLO", "envelope_from"],
    "domain": NAMES, "header_from": NAMES, "envelope_from": NAMES, "envelope_to": NAMES,
    "selector": ["s1", "S1", "", "a b"],
    "p": ["none", "reject", "Quarantine", "unknown", ""], "sp": ["none", "", "x"],
    "report_id": ["<id>", "<>", "", "a@b", "< x >"],
}
ODD = ["", "pass", "0", "-", "\u00e9", "x" * 300, "\ufffd", "<&>\"'"]


def local(element):
    return element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else ""


def pick(rng, root):
    """An element and its parent; not the root."""
    pairs = [(child, parent) for parent in root.iter() for child in parent]
    return rng.choice(pairs) if pairs else (None, None)


def pick_leaf(rng, root, *names):
    leaves = [e for e in root.iter() if not len(e) and (not names or local(e) in names)]
    return rng.choice(leaves) if leaves else root


# Changes of the tree: the document stays well-formed.

def change_word(rng, root):
    leaf = pick_leaf(rng, root)
    leaf.text = rng.choice(WORDS.get(local(leaf), ODD))
    return root


def change_verdict(rng, root):
    pick_leaf(rng, root, "result", "dkim", "spf", "disposition").text = rng.choice(RESULTS)
    return root


def change_number(rng, root):
    leaf = pick_leaf(rng, root, "count", "source_ip", "begin", "end")
    leaf.text = rng.choice(WORDS.get(local(leaf), ODD))
    return root


def drop(rng, root):
    child, parent = pick(rng, root)
    if child is not None:
        parent.remove(child)
    return root


def double(rng, root):
    child, parent = pick(rng, root)
    if child is not None:
        again = copy.deepcopy(child)
        if rng.random() < 0.5 and not len(again):
            again.text = rng.choice(WORDS.get(local(again), ODD))
        parent.insert(rng.randrange(len(parent) + 1), again)
    return root


def reorder(rng, root):
    parent = rng.choice(list(root.iter()))
    order = list(parent)
    rng.shuffle(order)
    parent[:] = order
    return root


def move(rng, root):
    child, parent = pick(rng, root)
    target = rng.choice(list(root.iter()))
    if child is not None and target not in list(child.iter()):
        parent.remove(child)
        target.append(child)
    return root


def rename(rng, root):
    child, _ = pick(rng, root)
    if child is not None:
        name = local(child)
        child.tag = rng.choice([name.upper(), name.replace("_", "-"), name.title(), name + "x", "identities", "reason", "{urn:other}" + name])
    return root


def wrap(rng, root):
    child, parent = pick(rng, root)
    if child is not None:
        at = list(parent).index(child)
        around = ET.Element(rng.choice(["group", "row", "record", "{urn:x}extension"]))
        parent[at] = around
        around.append(child)
    return root


def part(rng, root):
    """An element in the middle of a text."""
    leaf = pick_leaf(rng, root, "result", "dkim", "spf", "count", "header_from") if rng.random() < 0.7 else pick_leaf(rng, root)
    text = leaf.text or ""
    at = rng.randrange(len(text) + 1)
    inner = ET.SubElement(leaf, rng.choice(["b", "domain", "i"]))
    leaf.text, inner.tail, inner.text = text[:at], text[at:], rng.choice([None, "x", "pass"])
    return root


def pad(rng, root):
    for leaf in [e for e in root.iter() if not len(e)]:
        if rng.random() < 0.3:
            leaf.text = rng.choice([" ", "\n\t", "\r\n "]) + (leaf.text or "") + rng.choice([" ", "\t\n", ""])
    return root


def stray(rng, root):
    child, _ = pick(rng, root)
    if child is not None:
        child.tail = rng.choice(["11", "pass", " x "])
    return root


def around(rng, root):
    for _ in range(rng.randrange(1, 4)):
        outer = ET.Element(rng.choice(["wrapper", "report", "feed"]))
        outer.append(root)
        if rng.random() < 0.3:
            outer.append(copy.deepcopy(root))
        root = outer
    return root


def bare_reason(rng, root):
    evaluated = [e for e in root.iter() if local(e) == "policy_evaluated"]
    if evaluated:
        reason = ET.SubElement(rng.choice(evaluated), "reason")
        reason.text = rng.choice(WORDS["type"])
        if rng.random() < 0.3:
            ET.SubElement(reason, rng.choice(["type", "comment", "x"])).text = rng.choice(WORDS["type"])
    return root


TREE = [change_word] * 4 + [change_verdict, change_number] * 3 + [drop, drop, double, double, reorder, reorder, move, rename, wrap, part, pad, stray,
                                                                   around, bare_reason]


# Other ways to write the same text.

def inside_text(rng, text, change):
    places = [m for m in re.finditer(r">([^<>&]+)<", text)]
    if not places:
        return text
    found = rng.choice(places)
    at = rng.randrange(found.start(1), found.end(1))
    return text[:at] + change(text[at]) + text[at + 1:]


def reference(rng, text):
    return inside_text(rng, text, lambda c: rng.choice([f"&#{ord(c)};", f"&#x{ord(c):x};"]))


def cdata(rng, text):
    return inside_text(rng, text, lambda c: f"<![CDATA[{c}]]>")


def comment(rng, text):
    return inside_text(rng, text, lambda c: f"<!-- pass -->{c}")


def instruction(rng, text):
    return inside_text(rng, text, lambda c: f"{c}<?whosends damaged?>")


def attribute(rng, text):
    return re.sub(r"<(\w+)>", lambda m: f"<{m.group(1)} lang='en'>" if rng.random() < 0.1 else m.group(), text)


def doctype(rng, text):
    return rng.choice(["<!DOCTYPE feedback>", "<!DOCTYPE feedback [<!ENTITY a 'pass'>]>"]) + text


WRITING = [reference, cdata, comment, instruction, attribute] * 3 + [doctype]


def encode(rng, text):
    """Bytes; most are UTF-8."""
    kind = rng.randrange(12)
    if kind == 0:
        return ("\ufeff" + text).encode("utf-16-le")
    if kind == 1:
        return ("\ufeff" + text).encode("utf-8")
    if kind == 2:
        return b'<?xml version="1.0" encoding="iso-8859-1"?>' + text.encode("latin-1", "xmlcharrefreplace")
    if kind == 3:
        return b'<?xml version="1.0" encoding=\'windows-1252\'?>\n' + text.encode("cp1252", "xmlcharrefreplace")
    if kind == 4:
        return b"<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\r\n" + text.replace("\n", "\r\n").encode()
    return text.encode()


# Damage.

def damage(rng, data):
    at = rng.randrange(len(data) + 1)
    kind = rng.randrange(7)
    if kind == 0:
        return data[:at] + data[at + 1:]
    if kind == 1:
        return data[:at] + bytes([rng.randrange(256)]) + data[at:]
    if kind == 2:
        return data[:at] + rng.choice([b"&", b"<", b"]]>", b"&nbsp;", b"<b>", b"</b>", b"\0", b"\x91"]) + data[at:]
    if kind == 3:
        tags = list(re.finditer(rb"</?[\w:]+>", data))
        tag = rng.choice(tags) if tags else None
        return data[:tag.start()] + data[tag.end():] if tag else data
    if kind == 4:
        other = rng.randrange(len(data) + 1)
        return data[:min(at, other)] + data[max(at, other):]
    if kind == 5:
        return data + rng.choice([b"\0\0\0", b"<html>", data, b"--", b"<!-- x -->\n"])
    return rng.choice([b"\n", b"Your report:\n", b"\xef\xbb\xbf\n", b"<xs:schema>"]) + data


def mutate(rng, base):
    """(what was done, the document). "cut": the beginning of the base, and nothing else."""
    if rng.random() < 0.12:
        return "cut", base[:rng.randrange(len(base))]
    root = ET.fromstring(base)
    for change in rng.choices(TREE, k=rng.randrange(4)):
        root = change(rng, root)
    text = ET.tostring(root, encoding="unicode")
    for change in rng.choices(WRITING, k=rng.choice([0, 0, 0, 1, 2])):
        text = change(rng, text)
    data = encode(rng, text)
    if rng.random() < 0.2:
        return "damaged", damage(rng, data)
    return "changed", data
