#!/usr/bin/python3
"""A year of reports about many domains, of which it is known who sends as them and what whosends has to say of that.

make --mbox FILE --truth DIR      writes the mails in the order in which they come, and into DIR:
    totals           as bench/generate.py does: mails, reports, records and messages of each domain
    before, after    each domain, sender and class with its figures, before and after the owners said their word
    words            what the owners say: approve or disown, domain, sender
    kinds            how often each plant of year.txt was planted, with how many records
compare TRUTH senders|sources FILE     FILE is that report as JSON, TRUTH is `before` or `after`
compare TRUTH summary FILE

The same options give the same bytes. A few reports come late, twice, cut off (alone, or before or after the whole one), or with
the identity of another one. Memory depends on the domains and their addresses, not on the records.
"""
import argparse
import datetime
import heapq
import json
import os
import random
import sys

sys.dont_write_bytecode = True
import generate  # noqa: E402
from planted import Garden  # noqa: E402

BEGIN = generate.LAST_DAY - 364 * generate.DAY
COLUMNS = ("domain", "sender", "class", "messages", "dkim_aligned", "spf_aligned", "sources", "first_seen", "last_seen", "records")
CLASSES = ("authorised", "misconfigured", "forwarded", "unknown")


def date(day):
    return (datetime.date(2026, 10, 31) - datetime.timedelta(364 - day)).isoformat()


class Report(generate.Report):
    """One whose records are of planted senders."""

    def __init__(self, rng, serial, reporter, domain, day, count):
        super().__init__(rng, serial, reporter.name, domain, BEGIN + day * generate.DAY, reporter.new, count)
        self.lying, self.day = reporter.lying, day

    def draw(self):
        """The records: texts, and what the truth has to know of each."""
        rng, pick = self.rng, self.rng.random
        senders, weights = self.domain.senders(self.day, self.new)
        texts, seen = [], []
        for plant in rng.choices(senders, cum_weights=weights, k=self.records):
            form = plant.forms[int(pick() * len(plant.forms))]
            index, count = int(plant.pool * pick() ** 2), generate.messages(rng)
            before, after = form.text(self.new, self.lying, self.domain.p)
            texts.append(f"{before}{plant.address(index)}</source_ip>\n      <count>{count}{after}")
            seen.append((plant, form, index, count))
        return texts, seen

    def whole(self, texts):
        return (self.head() + "".join(texts) + "</feedback>\n").encode()

    def cut(self, texts, keep):
        """The same, broken off within the record after so many."""
        return (self.head() + "".join(texts[:keep]) + texts[keep][:len(texts[keep]) // 2]).encode()


class Reporter:
    def __init__(self, number, name):
        self.name, self.new = name, number % 2 == 0
        self.lying = number % 23 == 7


class Year:
    def __init__(self, options):
        self.rng, self.options = random.Random(options.seed), options
        self.out, self.serial, self.late, self.truth = generate.Mbox(options.mbox, options.split), 0, [], generate.Truth()
        weights = generate.zipf(options.domains)
        garden = Garden(self.rng, options.records)
        self.domains = [garden.domain(i + 1, 1 / (i + 1) / weights[-1]) for i in range(options.domains)]
        self.weights, self.kinds = weights, garden.kinds
        names = (generate.REPORTERS + [f"mx{i}.example.net" for i in range(1, 201)])[:options.reporters]
        self.reporters = [Reporter(i, name) for i, name in enumerate(names)]
        self.reporter_weights = generate.zipf(len(names))

    def send(self, report, data, copy, delay):
        """The mail comes so many days later."""
        mail = generate.mail(self.rng, report, data, copy)
        if delay:
            heapq.heappush(self.late, (report.day + delay, len(self.late), mail))
        else:
            self.put(mail)

    def put(self, mail):
        self.serial += 1
        self.out.add(self.serial, mail)

    def count(self, report, seen, mails):
        sums = [0, 0, 0]
        for plant, form, index, count in seen:
            plant.add(form, index, count, report.day)
            sums[0] += count
            sums[1] += form.dkim_aligned and count
            sums[2] += form.spf_aligned and count
        self.truth.add(report.domain.name, mails, 1, len(seen), *sums)

    def report(self, number, day):
        rng = self.rng
        domain = rng.choices(self.domains, cum_weights=self.weights)[0]
        domain.on(day)
        reporter = rng.choices(self.reporters, cum_weights=self.reporter_weights)[0]
        report = Report(rng, number, reporter, domain, day, generate.record_count(rng, self.options.records_mean))
        texts, seen = report.draw()
        what = rng.random()
        delay = rng.randrange(2, 60) if rng.random() < 0.01 else 0
        if what < 0.01:  # twice
            self.send(report, report.whole(texts), 0, delay)
            self.send(report, report.whole(texts), 1, rng.randrange(5))
            self.count(report, seen, 2)
        elif what < 0.022 and len(texts) > 2:  # cut off, and whole before or after that
            keep = rng.randrange(1, len(texts))
            datas = [report.whole(texts), report.cut(texts, keep)]
            rng.shuffle(datas)
            self.send(report, datas[0], 0, 0)
            self.send(report, datas[1], 1, rng.randrange(1, 60))
            self.count(report, seen, 2)
        elif what < 0.027 and len(texts) > 2:  # cut off for ever
            keep = rng.randrange(1, len(texts))
            self.send(report, report.cut(texts, keep), 0, delay)
            self.count(report, seen[:keep], 1)
        elif 0.027 <= what < 0.032:  # the same identity, mostly with other content
            self.send(report, report.whole(texts), 0, 0)
            self.count(report, seen, 1)
            other, seen = report.draw()
            self.send(report, report.whole(other), 1, delay)
            if other != texts:
                self.count(report, seen, 1)
            else:
                self.truth.add(domain.name, 1)
        else:
            self.send(report, report.whole(texts), 0, delay)
            self.count(report, seen, 1)

    def make(self):
        total, number = max(1, int(self.options.records / self.options.records_mean)), 0
        # Less on weekends.
        busy, done = [0.5 if (day + 6) % 7 > 4 else 1.0 for day in range(365)], 0.0
        for day in range(365):
            while self.late and self.late[0][0] <= day:
                self.put(heapq.heappop(self.late)[2])
            done += busy[day]
            while number < round(total * done / sum(busy)):
                number += 1
                self.report(number, day)
        while self.late:
            self.put(heapq.heappop(self.late)[2])
        self.out.close()

    def write(self, directory):
        os.makedirs(directory, exist_ok=True)
        with open(os.path.join(directory, "totals"), "w", encoding="ascii") as file:
            self.truth.write(file)
        plants = [(domain, plant) for domain in self.domains for plant in domain.plants if plant.records]
        for name in ("before", "after"):
            rows = {}
            for domain, plant in plants:
                kind, sender = plant.wanted if name == "before" else plant.after
                figures = plant.figures()
                row = rows.setdefault((domain.name, sender, kind), [0, 0, 0, 0, figures[4], figures[5], 0])
                for i in (0, 1, 2, 3, 6):
                    row[i] += figures[i]
                row[4], row[5] = min(row[4], figures[4]), max(row[5], figures[5])
            with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
                print(*COLUMNS, sep="\t", file=file)
                for key in sorted(rows):
                    row = rows[key]
                    print(*key, *row[:4], date(row[4]), date(row[5]), row[6], sep="\t", file=file)
        with open(os.path.join(directory, "words"), "w", encoding="utf-8") as file:
            for domain, plant in plants:
                if plant.said:
                    print(plant.said[0], domain.name, plant.said[1], sep="\t", file=file)
        with open(os.path.join(directory, "kinds"), "w", encoding="ascii") as file:
            for kind in self.kinds:
                here = [plant for _, plant in plants if plant.kind is kind]
                print(kind.name, len(here), sum(plant.records for plant in here), sep="\t", file=file)


def read_truth(path):
    """By domain, sender and class: messages, aligned by DKIM, by SPF, addresses, first and last day."""
    with open(path, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file][1:]
    return {tuple(row[:3]): (*map(int, row[3:7]), row[7], row[8]) for row in rows}


def read_report(name, path):
    """The rows as read_truth gives them."""
    found = {}
    with open(path, encoding="utf-8") as file:
        for row in json.load(file):
            figures = [int(row["messages"]), int(row["dkim_aligned"]), int(row["spf_aligned"]),
                       1 if name == "sources" else int(row["sources"]), row["first_seen"], row["last_seen"]]
            have = found.setdefault((row["domain"], row["sender"], row["class"]), [0, 0, 0, 0, *figures[4:]])
            for i in range(4):
                have[i] += figures[i]
            have[4], have[5] = min(have[4], figures[4]), max(have[5], figures[5])
    return {key: tuple(row) for key, row in found.items()}


def summarised(truth):
    """By domains: messages, those of each class, senders, addresses."""
    rows = {}
    for (domain, sender, kind), (messages, _, _, sources, _, _) in truth.items():
        row = rows.setdefault((domain,), [0] * 6 + [set()])
        row[0] += messages
        row[1 + CLASSES.index(kind)] += messages
        row[5] += sources
        row[6].add(sender)
    return {key: (*row[:6], len(row[6])) for key, row in rows.items()}


def read_summary(path):
    with open(path, encoding="utf-8") as file:
        return {(row["domain"],): tuple(int(row[name]) for name in ("messages", *CLASSES, "sources", "senders"))
                for row in json.load(file)}


def compare(options):
    wanted = read_truth(options.truth)
    if options.report == "summary":
        wanted, found = summarised(wanted), read_summary(options.file)
    else:
        found = read_report(options.report, options.file)
    right = [key for key in wanted if found.get(key) == wanted[key]]
    missing, extra = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
    wrong = sorted(key for key in wanted.keys() & found.keys() if found[key] != wanted[key])
    print(f"{options.report}: {len(wanted)} planted, {len(right)} found, {len(missing)} missing, {len(extra)} not planted, "
          f"{len(wrong)} with other figures")
    for name, keys in (("missing", missing), ("not planted", extra), ("other figures", wrong)):
        for key in keys[:options.show]:
            print(f"{name}: {', '.join(key)}: wanted {wanted.get(key, 'nothing')}, found {found.get(key, 'nothing')}",
                  file=sys.stderr)
    return bool(missing or extra or wrong or not wanted)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    commands = parser.add_subparsers(required=True, dest="command")
    make = commands.add_parser("make")
    make.add_argument("--mbox", required=True, metavar="FILE")
    make.add_argument("--split", type=int, default=0, metavar="N", help="FILE.0000 and so on, of N mails each")
    make.add_argument("--truth", required=True, metavar="DIR")
    make.add_argument("--records", type=int, default=100000, help="about so many")
    make.add_argument("--records-mean", type=float, default=25.0)
    make.add_argument("--domains", type=int, default=100)
    make.add_argument("--reporters", type=int, default=200, help="at most 208")
    make.add_argument("--seed", type=int, default=1)
    judge = commands.add_parser("compare")
    judge.add_argument("truth")
    judge.add_argument("report", choices=("senders", "sources", "summary"))
    judge.add_argument("file")
    judge.add_argument("--show", type=int, default=20, metavar="N", help="so many of each that is not right")
    options = parser.parse_args()
    if options.command == "compare":
        return compare(options)
    year = Year(options)
    year.make()
    year.write(options.truth)
    return 0


if __name__ == "__main__":
    sys.exit(main())
