#!/usr/bin/python3
"""The fault matrix: runs the tests that hold its rows and prints it as a table: matrix.py [TEST]...

Each row of matrix.tsv is a fault, what is expected, and the results that show it: a test and a pattern for their titles. A row holds
when each test of it has such results and all of them are ok. With TESTs only the rows that need nothing else.
"""
import os
import re
import subprocess
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
RESULT = re.compile(r"^(ok|not ok) \d+(?: - | )?(.*)$")


def rows():
    with open(os.path.join(TOP, "tests/fault/matrix.tsv"), encoding="ascii") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                number, fault, expected, *shown = line.rstrip("\n").split("\t")
                yield number, fault, expected, [part.partition(" ")[::2] for part in shown]


def run(test):
    """The results of one test: [(ok, title)]."""
    done = subprocess.run(["tests/lib/one.sh", test], cwd=TOP, env=dict(os.environ, TEST_TIMEOUT="1800"), text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, errors="replace")
    results = [(match[1] == "ok", match[2]) for match in map(RESULT.match, done.stdout.split("\n")) if match]
    failed = [title for good, title in results if not good]
    print(f"# {test}: {len(results)} results, {len(failed)} failed, status {done.returncode}", flush=True)
    for title in failed:
        print(f"#   not ok: {title}", flush=True)
    if done.returncode and not failed:
        results.append((False, ""))
    return results


def verdict(shown, results):
    for test, pattern in shown:
        found = [(good, title) for good, title in results[test] if re.search(pattern, title)]
        if not found or not all(good for good, _ in found) or (False, "") in results[test]:
            return "FAILS"
        if all("# SKIP" in title for _, title in found):
            return "skipped"
    return "holds"


def main():
    table = [row for row in rows() if not sys.argv[1:] or all(test in sys.argv[1:] for test, _ in row[3])]
    results = {test: run(test) for test in dict.fromkeys(test for row in table for test, _ in row[3])}
    print()
    print(f"{'row':>4}  {'fault':52}  {'expected':62}  result")
    bad = 0
    for number, fault, expected, shown in table:
        result = verdict(shown, results)
        bad += result == "FAILS"
        print(f"{number:>4}  {fault:52}  {expected:62}  {result}")
    print(f"\n{len(table)} rows, {bad} of them fail")
    sys.exit(bad > 0 or not table)


main()
