#!/usr/bin/python3
"""The SQL in the C sources holds nothing that a distributed database refuses. What functions and views hold, tests/sql/citus.sql
looks at."""
import glob
import re
import sys

REFUSED = [
    ("a word that is refused across nodes",
     r"\b(grouping\s+sets|rollup|cube|with\s+recursive|merge\s+into|for\s+(no\s+key\s+)?update|for\s+(key\s+)?share|ctid|tableoid|"
     r"tablesample|refresh\s+materialized|create\s+(materialized|rule|trigger)|inherits|detach\s+partition)\b"),
    ("an upsert that sets what is not immutable",
     r"\bdo\s+update\s+set[^;]*\b(now|random|clock_timestamp|statement_timestamp|gen_random_uuid|nextval)\s*\("),
    # One that looks where all is stored or where it was fetched has the name of the table as an argument of a macro.
    ("a look-up of stored rows for each row", r"\blateral\s*\((?:(?!\blateral\b)[^;])*?\bfrom\s+dmarc(_store)?\.\w"),
    ("a look-up of stored rows for each element of an array",
     r"\bfrom\s+unnest\s*\((?:(?!;).)*?\bwhere\b[^;]*?\bexists\s*\(\s*select\b[^;()]*\bfrom\s+dmarc(_store)?\.\w"),
    # A node that asks its part of a table may change nothing elsewhere.
    ("a function called beside a table", r"^\s*select\s+(?:%s|dmarc_store\.\w+)\s*\([^;]*\bfrom\s+dmarc(_store)?\.\w+\b(?!\s*\()"),
    ("a table beside roles", r"\bfrom\s+dmarc(_store)?\.\w+\b(?!\s*\()[^;]*\bpg_roles\b"),
    ("a table that is asked about a staged row in a subquery", r"\((?:select|exists)\b[^;()]*\bfrom\s+dmarc_store\.\w+\s+(\w+)\s+where\b[^;()]*=\s*s\."),
    ("a row that goes from node to node without its type", r"select\s+row\s*\([^;]*\bfrom\s+dmarc_store\."),
    ("a table without its schema", r"\b(?:from|join|into|update)\s+(?:report|observed|observation|evidence|profile|message|document|original|reading|"
     r"folded|unfolded|summed|profile_day|domain_day|tls_report|tls_policy|tls_failure|failure_report|mailbox|sender|sender_rule)\b(?!\s*\()"),
    ("a table that is made by a statement of its own", r"\bcreate\s+(?:unlogged\s+)?table\b"),
]
SAMPLES = [
    "SELECT domain FROM dmarc_store.report GROUP BY ROLLUP (domain)",
    "INSERT INTO dmarc_store.mailbox VALUES ($1) ON CONFLICT (mailbox) DO UPDATE SET read_at = now()",
    "SELECT s.id FROM pg_temp.stage_report s CROSS JOIN LATERAL (SELECT r.id FROM dmarc_store.report r LIMIT 1) k",
    "SELECT d FROM unnest($1::text[]) d WHERE NOT EXISTS (SELECT r.domain FROM dmarc.report r WHERE r.domain = d)",
    "SELECT %s($1, $2::text[]), ARRAY(SELECT g.role FROM dmarc_store.group_grant g WHERE g.name = $1)",
    "SELECT count(*) FROM dmarc.repeatable WHERE EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = $1)",
    "SELECT s.id, (SELECT r.id FROM dmarc_store.report r WHERE r.domain = s.domain LIMIT 1) FROM pg_temp.stage_report s",
    "SELECT (SELECT ROW(domain, day) FROM dmarc_store.report WHERE domain = $1)",
    "SELECT id FROM report WHERE domain = $1",
    "CREATE TABLE dmarc_store.more (domain text)",
]


def strings_of(text):
    """Each run of string constants with nothing but blanks between them, as one string. Names of macros end a run."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S).replace("\\\n", " ")
    for run in re.finditer(r'"(?:\\.|[^"\\\n])*"(?:\s*"(?:\\.|[^"\\\n])*")*', text):
        yield "".join(re.findall(r'"((?:\\.|[^"\\\n])*)"', run.group(0)))


def wrong(pattern, strings):
    for where, string in strings:
        if re.search(r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE|COPY)\b", string):
            found = re.search(pattern, string, re.I)
            if found:
                yield f"{where}: {found.group(0)[:100]}"


strings = []
for path in sorted(glob.glob("*/*.c")):
    with open(path, encoding="utf-8") as file:
        strings += [(path, string) for string in strings_of(file.read())]

number, bad = 0, False
print(f"1..{2 * len(REFUSED) + 3}")


def say(fine, title, lines=()):
    global number, bad
    number += 1
    bad = bad or not fine
    print(f"{'ok' if fine else 'not ok'} {number} - {title}")
    for line in lines:
        print(f"# {line}")


for (title, pattern), sample in zip(REFUSED, SAMPLES):
    lines = list(wrong(pattern, strings))
    say(not lines, "nowhere: " + title, lines)
    say(list(wrong(pattern, [("sample", sample)])), "and such a one would be found")


def crowded(name, text):
    """Constraints that are changed together with something else, by which a distributed table is refused."""
    text = re.sub(r"--[^\n]*", "", text)
    return [f"{name}: {found[:100]}" for found in re.findall(r"\balter\s+table\b[^;]*,\s*(?:add|drop)\s+constraint[^;]*", text, re.I)]


migrations = []
for path in sorted(glob.glob("sql/0*.sql")):
    with open(path, encoding="utf-8") as file:
        migrations += crowded(path, file.read())
say(not migrations, "each change of a constraint is a statement", migrations)
say(crowded("sample", "ALTER TABLE t DROP CONSTRAINT a, ADD CONSTRAINT a PRIMARY KEY (b);"), "and one that is none would be found")
say(sum("dmarc_store." in string for _, string in strings) > 50, "the statements were found")
sys.exit(bad)
