"""Reads an aggregate report the slow way: the whole document as a tree of Python's standard library, and a walk over it.

Written from the rules and not from the program, to compare the two. It gives the facts that are compared, and nothing else:
no warnings, no alignment (which needs the Public Suffix List), no repair.
"""
import ipaddress
import re
import xml.etree.ElementTree as ET
from xml.parsers import expat

BLANK = " \t\r\n\f"
BLANKS = BLANK + "\u00a0\ufeff"  # around a text
COUNT_MOST = 100_000_000_000
SECONDS_MOST = 100_000_000_000

RESULTS = {  # as written: for DKIM, for SPF
    "pass": ("pass", "pass"), "fail": ("fail", "fail"), "none": ("none", "none"), "neutral": ("neutral", "neutral"),
    "softfail": ("fail", "softfail"), "temperror": ("temperror", "temperror"), "permerror": ("permerror", "permerror"),
    "policy": ("policy", "policy"), "hardfail": ("fail", "fail"), "unknown": ("temperror", "temperror"),
    "error": ("permerror", "permerror"), "invalid": ("permerror", "permerror"), "nxdomain": ("permerror", "none"),
    "signed": ("neutral", None), "discard": ("fail", "fail"),
}
SCOPES = {"mfrom": "mfrom", "mailfrom": "mfrom", "envelopefrom": "mfrom", "helo": "helo", "ehlo": "helo"}
REASONS = {r.replace("_", ""): r for r in ("local_policy", "forwarded", "trusted_forwarder", "mailing_list", "sampled_out",
                                           "policy_test_mode", "other")}
POLICIES = {w: w for w in ("none", "quarantine", "reject")}
DISPOSITIONS = {**POLICIES, "pass": "pass"}


class NotWellFormed(Exception):
    """It is no XML: nothing can be said about it here."""


class Refused(Exception):
    """It cannot be a report; the text is the code."""


# The tree.

def name(element):
    """Letter case, prefixes and '-' for '_' do not matter."""
    return element.tag.rsplit("}", 1)[-1].lower().replace("-", "_") if isinstance(element.tag, str) else ""


def children(element, *names):
    return [] if element is None else [c for c in element if name(c) in names]


def first(element, *names):
    return next(iter(children(element, *names)), None)


def words_of(element):
    """The text of an element; what is below an element inside of it does not belong to it, and parts it."""
    if element is None:
        return None
    text = (element.text or "").lstrip(BLANK)
    for inner in element:
        if text and text[-1] not in BLANK:
            text += " "
        text += inner.tail or ""
        text = text.lstrip(BLANK)
    return text.strip(BLANKS)


def leaf(element, *names):
    return words_of(first(element, *names))


def inside_or_beside(parent, inner, which):
    """The first of them in the inner element, where it belongs, or right in the parent."""
    for element in [] if parent is None else parent:
        found = first(inner, which) if element is inner else element if name(element) == which else None
        if found is not None:
            return found
    return None


def parse_tree(document):
    # Who says Latin-1 means windows-1252.
    document = re.sub(rb"""^(<\?xml[^>]*encoding=["'])iso-8859-1""", rb"\1windows-1252", document, flags=re.I)
    doctype = []
    checker = expat.ParserCreate()
    checker.StartDoctypeDeclHandler = lambda *_: doctype.append(1)
    try:
        checker.Parse(document, True)
        if doctype:
            raise Refused("doctype")
        return ET.fromstring(document)
    except (expat.ExpatError, ET.ParseError, ValueError, LookupError):
        if doctype:
            raise Refused("doctype") from None
        raise NotWellFormed from None


def feedbacks(element, depth=1):
    """The topmost feedback elements, with at most two around them."""
    if name(element) == "feedback":
        yield element
    elif depth <= 2:
        for inner in element:
            yield from feedbacks(inner, depth + 1)


# The words.

def squeezed(text):
    return re.sub(r"[_\- \t]", "", text).lower()


def word(table, text):
    found = table.get(squeezed(text)) if text else None
    if squeezed(text or "") == "pass" and text.lower() != "pass":
        return None
    return found


def result_word(text, dkim):
    found = word(RESULTS, text)
    return found[0 if dkim else 1] if found else None


def domain_name(text):
    """Normalised, and whether it can be a name."""
    if re.search("[@<>]", text):
        at = re.search(r"@([\w.\-]*)", text)
        if at:
            found, good = plain_name(at.group(1))
            if good and found:
                return found, True
    return plain_name(text)


def plain_name(text):
    text = text.rsplit("@", 1)[-1].lstrip("<" + BLANK).rstrip(">" + BLANK)
    text = text[:1] + text[1:].rstrip(".")
    lower = lower_ascii(text)
    try:
        label = lower if text.isascii() else text.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return lower, False
    good = len(label) <= 253 and all(0 < len(part) <= 63 for part in label.split(".")) or label == ""
    good = good and not re.search(r"""[\x00-\x20\x7f@<>",;:\\()\[\]/]""", label)
    # What cannot be a name stays as it was sent.
    return label if good else lower, good


def optional_name(text):
    return None if text is None else domain_name(text)[0]


def auth_name(text):
    return (domain_name(text)[0] or None) if text else None


def address(text):
    """(normalised address or None, raw text where it is none)"""
    if not text:
        return None, None
    wrapped = len(text) < 80 and re.fullmatch(r"\[([^]]*)\](?::[0-9]{1,5})?|([^:[]*):[0-9]{1,5}|([^[].*)", text)
    bare = next((group for group in wrapped.groups() if group is not None), text) if wrapped else text
    bare = re.sub("^IPv6:", "", bare, flags=re.I).split("%")[0]
    try:
        ip = ipaddress.ip_address(bare)
    except ValueError:
        return None, text
    return str(getattr(ip, "ipv4_mapped", None) or ip), None


def date(text):
    """Seconds, or None."""
    if not text:
        return None
    if re.fullmatch(r"\+?[0-9]{1,19}(\.[0-9]*)?", text) and int(text.split(".")[0]) < 2 ** 63 - 1:
        seconds = int(text.split(".")[0])
        while seconds > SECONDS_MOST:
            seconds //= 1000
        return seconds
    iso = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z", text)
    if iso:
        import calendar
        seconds = calendar.timegm(tuple(int(n) for n in iso.groups()))
        return seconds if 0 <= seconds <= SECONDS_MOST else None
    return None


def count(text):
    """None: the record cannot be believed."""
    text = text or ""
    if re.fullmatch(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+", text):
        text = text.replace(",", "")
    if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]*)?[eE]\+?[0-9]{1,2}", text):
        whole = int(float(text))
    elif re.fullmatch(r"[+-]?[0-9]+(\.[0-9]*)?", text):
        whole = int(text.split(".")[0])
    else:
        return 1
    return None if whole < 0 or whole > COUNT_MOST else whole


# The report.

def dkim_results(entries, like_rspamd):
    read = [[leaf(e, n) for n in ("domain", "selector", "result")] for e in entries]
    for domain, selector, result in read:
        if not domain:
            if not selector and (not result or result_word(result, True) == "none"):
                continue
        elif result == "permerror" and like_rspamd and any(d == domain and r == "temperror" for d, _, r in read):
            continue
        yield auth_name(domain), lower_ascii(selector) or None, result_word(result, True)


def lower_ascii(text):
    return re.sub("[A-Z]+", lambda m: m.group().lower(), text) if text else text


def spf_results(entries):
    for entry in entries:
        domain, scope, result, human = (leaf(entry, n) for n in ("domain", "scope", "result", "human_result"))
        if domain or scope or result or human:
            yield auth_name(domain), word(SCOPES, scope), result_word(result, False)


def reasons(evaluated):
    for entry in children(evaluated, "reason"):
        kind, comment, bare, text = None, leaf(entry, "comment"), False, entry.text or ""
        for inner in entry:
            if name(inner) in ("type", "comment"):
                # What stands there without an element is the type, unless there is a better one.
                if kind is None and text.strip(BLANKS):
                    kind, bare = text.strip(BLANKS), True
                if name(inner) == "type" and (kind is None or bare and words_of(inner)):
                    kind, bare = words_of(inner), False
                text = ""
            text += inner.tail or ""
        if kind is None:
            kind = text.strip(BLANKS)
        if kind or comment:
            yield word(REASONS, kind) or "other", comment


def identifiers_of(record):
    """Those in the row count while there are none beside it."""
    beside = first(record, "identifiers", "identities")
    return beside if beside is not None else first(first(record, "row"), "identifiers")


def from_text(record):
    """The From domain as sent: of several the first."""
    text = leaf(identifiers_of(record), "header_from")
    if not text or "@" in text:
        return text or None
    listed = text.lstrip(",; \t\r\n")
    if "<" in listed and listed[0] != "<":
        return text
    return re.split(r"[,; \t\r\n]", listed)[0] or None


def verdict(text):
    return None if text is None else "pass" if text.lower() == "pass" else "fail"


def read_record(record, policy_domain):
    """The facts, or None for a record that is left out."""
    row, identifiers = first(record, "row"), identifiers_of(record)
    evaluated = inside_or_beside(record, row, "policy_evaluated")
    ip_text, count_text = (words_of(inside_or_beside(record, row, which)) for which in ("source_ip", "count"))
    if not ip_text and (not count_text.strip("0.") if count_text else not leaf(identifiers, "header_from")):
        return None
    number = count(count_text)
    if number is None:
        return None
    sent = from_text(record)
    results = [e for auth in children(record, "auth_results") or children(row, "auth_results") for e in auth]
    dkim, spf = ([e for e in results if name(e) == kind] for kind in ("dkim", "spf"))
    like_rspamd = leaf(identifiers, "envelope_from") is None and all(leaf(e, "selector") is None for e in dkim) and \
        all(leaf(e, "scope") is None for e in spf)
    ip, raw = address(ip_text)
    return {
        "ip": ip, "source": raw, "count": number,
        "from": (domain_name(sent)[0] if sent else "") or policy_domain,
        "envelope_from": optional_name(leaf(identifiers, "envelope_from")),
        "envelope_to": optional_name(leaf(identifiers, "envelope_to")),
        "disposition": word(DISPOSITIONS, leaf(evaluated, "disposition")),
        "verdicts": (verdict(leaf(evaluated, "dkim")), verdict(leaf(evaluated, "spf"))),  # None: it is worked out
        "dkim": list(dkim_results(dkim, like_rspamd)), "spf": list(spf_results(spf)), "reasons": list(reasons(evaluated)),
    }


def read_period(metadata):
    dates = first(metadata, "date_range")
    begin, end = (date(words_of(inside_or_beside(metadata, dates, which))) for which in ("begin", "end"))
    if begin is None and end is None:
        raise Refused("no_period")
    if begin is not None and end is not None and min(begin, end) == 0 and max(begin, end) > 8 * 86400:
        begin, end = begin or None, end or None
    ends = [begin if begin is not None else end, end if end is not None else begin]
    return min(ends), max(ends)


def namespace(element):
    return element.tag[1:].split("}")[0] if isinstance(element.tag, str) and element.tag[0] == "{" else ""


def drop_strangers(feedback):
    """By its own namespace, what stands between the parts of a report of RFC 9990 has nothing to do with it."""
    own = namespace(feedback)
    for parent in [feedback, *children(feedback, "record")] if "urn:ietf:params:xml:ns:dmarc-2.0" in own else []:
        for inner in list(parent):
            if namespace(inner) not in ("", own) and "dmarc" not in namespace(inner):
                parent.remove(inner)


def read_report(feedback):
    drop_strangers(feedback)
    metadata, policy = first(feedback, "report_metadata"), first(feedback, "policy_published")
    records = children(feedback, "record")
    begin, end = read_period(metadata)
    domain, good = domain_name(leaf(policy, "domain") or "")
    if not good or not domain:
        # The organizational domain of the first record's, which is not known here.
        if not any(all(domain_name(from_text(r))) for r in records if from_text(r)):
            raise Refused("no_domain")
        domain = None
    report_id = leaf(metadata, "report_id") or None
    if report_id and len(report_id) >= 2 and report_id[0] == "<" and report_id[-1] == ">":
        report_id = report_id[1:-1].strip(BLANK) or None
    kept = [facts for facts in (read_record(r, domain) for r in records) if facts]
    return {"domain": domain, "id": report_id, "begin": begin, "end": end, "p": word(POLICIES, leaf(policy, "p")),
            "sp": word(POLICIES, leaf(policy, "sp")), "seen": len(records), "records": kept}


def read_document(document):
    """The reports of a well-formed document; NotWellFormed, or Refused with the code of the first refusal when there is
    not one."""
    reports, refusal = [], "no_root"
    for feedback in feedbacks(parse_tree(document)):
        try:
            reports.append(read_report(feedback))
        except Refused as refused:
            refusal = str(refused) if refusal == "no_root" else refusal
    if not reports:
        raise Refused(refusal)
    return reports
