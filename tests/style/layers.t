#!/usr/bin/python3
"""Floors look only down, and each foreign library is known to the one file that wraps it, or to the few that are listed."""
import glob
import os
import re
import sys

LEVEL = {"parser": 0, "db": 1, "ingest": 2, "reports": 2, "dns": 2, "cli": 3}

# header pattern: the files that may include it, how many of them may at most, and how many of these are sources.
FOREIGN = [
    ("libpq", r"libpq-fe\.h|libpq/.*|postgres_ext\.h|catalog/.*", r"db/conn\.c", 1, 1),
    ("GMime", r"gmime/.*", r"ingest/mime_tree\.c", 1, 1),
    ("libarchive", r"archive\.h|archive_entry\.h", r"ingest/unpack\.c", 1, 1),
    ("zlib", r"zlib\.h", r"db/original\.c", 1, 1),
    ("ISA-L", r"isa-l.*", r"(ingest/gunzip|db/original)\.c", 2, 2),
    ("libcurl", r"curl/.*", r"ingest/(imap_conn|route)\.c", 2, 2),
    ("libxml2", r"libxml/.*", r"parser/\w+\.[ch]", 2, 1),
    ("libpsl", r"libpsl\.h", r"parser/domain\.c", 1, 1),
    ("nettle", r"nettle/.*", r"parser/sha256\.c", 1, 1),
    ("libseccomp", r"seccomp\.h", r"ingest/confine\.c", 1, 1),
    ("libunbound", r"unbound.*", r"dns/reverse\.c", 1, 1),
    ("libmaxminddb", r"maxminddb.*", r"dns/network\.c", 1, 1),
    ("json-glib", r"json-glib/.*", r"parser/(tls|json_members)\.c", 2, 2),
]

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(?:"([^"]+)"|<([^>]+)>)', re.M)


def complaints_about(path, text):
    """What is wrong with the includes of one file; foreign ones are added to `users`."""
    floor = path.split("/")[0]
    for own, foreign in INCLUDE.findall(text):
        if own:
            target = own.split("/")[0]
            if target not in LEVEL:
                yield f'{path}: "{own}" is not written from the root'
            elif not os.path.exists(own):
                yield f'{path}: "{own}" does not exist'
            elif target != floor and LEVEL[target] >= LEVEL[floor]:
                yield f'{path}: "{own}" does not lie below {floor}/'
        for name, headers, files, _, _ in FOREIGN:
            if foreign and re.fullmatch(headers, foreign):
                users.setdefault(name, set()).add(path)
                if not re.fullmatch(files, path):
                    yield f"{path}: <{foreign}> is for {files} alone"


def report(number, good, title, lines):
    print(f"{'ok' if good else 'not ok'} {number} - {title}")
    for line in lines:
        print(f"# {line}")
    return good


users = {}
good = True
print(f"1..{len(LEVEL) + len(FOREIGN)}")
for number, floor in enumerate(LEVEL, 1):
    lines = []
    for path in sorted(glob.glob(f"{floor}/*.[ch]")):
        with open(path, encoding="utf-8") as file:
            lines += complaints_about(path, file.read())
    good &= report(number, not lines, f"{floor}/ looks only down", lines)
for number, (name, _, _, most, most_sources) in enumerate(FOREIGN, len(LEVEL) + 1):
    files = sorted(users.get(name, ()))
    sources = [path for path in files if path.endswith(".c")]
    fine = len(files) <= most and len(sources) <= most_sources
    good &= report(number, fine, f"{name} is known to few files", [] if fine else files)
sys.exit(not good)
