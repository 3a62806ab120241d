#!/usr/bin/python3
"""Functions that are not used here, leftovers, sizes, and words that are not for this project."""
import os
import re
import sys

SOURCES = re.compile(r"\.(c|h)$")
COUNTED = re.compile(r"(\.(c|h|py|sh|sql|t)|Makefile)$")
TEXT = re.compile(r"(\.(c|h|py|sh|sql|t|md|scd|conf|csv|tsv)|Makefile|run)$")
UNSAFE = re.compile(r"(?<![\w.>])(strcpy|strcat|stpcpy|v?sprintf|strtok|atoi|atol|atoll|atof|gets|strtou?ll?|mktemp|tmpnam)"
                    r"[ \t]*\(")
# Put together here, so that this file does not hold them.
LEFTOVER = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]) + r")\b")
FOREIGN = re.compile("|".join(["/wor" + "k/", "/tmp/w" + "hs", r"\bissue " + r"#?\d"]), re.I)

FILE_LINES, FUNCTION_LINES, SHORT_LINES = 700, 120, 50


def files():
    """All files of the tree but what is made or not ours to write."""
    for top, directories, names in os.walk("."):
        directories[:] = sorted(d for d in directories if d not in (".git", "build", "build-sanitize", "build-fuzz", "mailbox"))
        for name in sorted(names):
            yield os.path.relpath(os.path.join(top, name), ".")


def code_of(text):
    """C without comments and strings, with its lines kept."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, lambda m: '""' + "\n" * m.group(0).count("\n"), text, flags=re.S)


def functions_of(text):
    """(first line, lines) of each function body: a brace in the first column opens and closes one."""
    start = None
    for number, line in enumerate(text.split("\n"), 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            yield start, number - start + 1
            start = None


def hits(pattern, path, text):
    for number, line in enumerate(text.split("\n"), 1):
        found = pattern.search(line)
        if found:
            yield f"{path}:{number}: {found.group(0).strip()}"


unsafe, leftover, foreign, long_files, long_functions, lengths = [], [], [], [], [], []
read = 0
for path in files():
    if not TEXT.search(path):
        continue
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    read += 1
    leftover += hits(LEFTOVER, path, text)
    foreign += hits(FOREIGN, path, text)
    lines = text.count("\n")
    if COUNTED.search(path) and lines > FILE_LINES:
        long_files.append(f"{path}: {lines} lines")
    if SOURCES.search(path):
        unsafe += hits(UNSAFE, path, code_of(text))
        for start, length in functions_of(text):
            lengths.append(length)
            if length > FUNCTION_LINES:
                long_functions.append(f"{path}:{start}: a function of {length} lines")

over = sum(length > SHORT_LINES for length in lengths)
checks = [
    ("no function that writes or reads past a bound", unsafe),
    ("no leftover", leftover),
    ("no word that is not for this project", foreign),
    (f"no file over {FILE_LINES} lines", long_files),
    (f"no function over {FUNCTION_LINES} lines", long_functions),
    (f"nine of ten functions have at most {SHORT_LINES} lines",
     [] if over * 10 <= len(lengths) else [f"{over} of {len(lengths)} have more"]),
    ("the files were found", [] if read > 20 and len(lengths) > 20 else [f"{read} files, {len(lengths)} functions"]),
]
print(f"1..{len(checks)}")
for number, (title, lines) in enumerate(checks, 1):
    print(f"{'not ok' if lines else 'ok'} {number} - {title}")
    for line in lines:
        print(f"# {line}")
sys.exit(any(lines for _, lines in checks))
