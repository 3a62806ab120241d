#!/usr/bin/python3
"""Where the mails of a Maildir are, and whether that is right: places.py MAILDIR SENT LEDGER [done] [copies] [twins=N]

SENT is a directory with all mails that were ever delivered. LEDGER has a line for each row of the ledger, "sha256 outcome".
Every mail is in exactly one of INBOX, Processed and Problems, is in the ledger when it is not in INBOX, once, and was a
problem when it is in Problems. With "done" INBOX is empty. With "copies" a mail that is still in INBOX may have been copied.
With "twins=N" so many copies may be in a folder besides the first: a server that copies before it expunges, as Dovecot does, may
still be at the MOVE of a session that died when another one begins. How many there are is told on standard error.
The ledger's sum is that of the mail with CRLF (IMAP) or as it is (Maildir).
"""
import collections
import hashlib
import os
import sys


def mails(*directories):
    found = collections.Counter()
    for directory in directories:
        for sub in ("new", "cur", ""):
            top = os.path.join(directory, sub)
            for name in os.listdir(top) if os.path.isdir(top) else ():
                path = os.path.join(top, name)
                if os.path.isfile(path) and not name.startswith(("dovecot", "maildirfolder", "subscriptions")):
                    with open(path, "rb") as file:
                        found[file.read().replace(b"\r\n", b"\n")] += 1
    return found


def main():
    maildir, sent, ledger, *options = sys.argv[1:]
    there = mails(sent)
    inbox, processed, problems = mails(maildir), mails(maildir + "/.Processed"), mails(maildir + "/.Problems")
    rows = collections.defaultdict(list)
    with open(ledger, encoding="ascii") as file:
        for line in file:
            digest, outcome = line.split()
            rows[digest].append(outcome)
    wrong = collections.Counter()
    twins, allowed = 0, sum(int(option.removeprefix("twins=")) for option in options if option.startswith("twins="))
    for mail, times in there.items():
        crlf = hashlib.sha256(mail.replace(b"\n", b"\r\n")).hexdigest()
        outcomes = rows.pop(crlf, []) + rows.pop(hashlib.sha256(mail).hexdigest(), [])
        for folder in (processed, problems):
            extra = min(max(folder[mail] - times, 0), allowed - twins)
            twins += extra
            folder[mail] -= extra
        settled = processed[mail] + problems[mail]
        spare = inbox[mail] if "copies" in options else 0
        wrong["a mail is nowhere"] += inbox[mail] + settled < times
        wrong["a mail is in two places"] += inbox[mail] + settled > times + spare
        wrong["a mail was moved before it was in the ledger"] += settled - spare > len(outcomes)
        wrong["a mail is in the ledger too often"] += len(outcomes) > times
        wrong["a mail is in the wrong folder"] += problems[mail] > outcomes.count("problem")
        wrong["a problem is among what was processed"] += processed[mail] > len(outcomes) - outcomes.count("problem")
        if "done" in options:
            wrong["a mail is left in the mailbox"] += inbox[mail] > 0
            wrong["a mail is not in the ledger"] += len(outcomes) != times
    wrong["the ledger has a mail that was not sent"] += len(rows)
    wrong["the mailbox has a mail that was not sent"] += len((inbox | processed | problems).keys() - there.keys())
    if twins:
        print(f"# {twins} copies of {len(there)} mails were made by sessions that died", file=sys.stderr)
    for what, times in wrong.items():
        if times:
            print(f"{what} ({times} times)")
    sys.exit(any(wrong.values()) or not there)


main()
