#!/usr/bin/python3
"""The questions of bench/query.sh, and what they cost.

plan TRUTH FILE             chooses domains, addresses and days, and writes the questions
names FILE                  their names
run FILE NAME TIMES HOW     asks one so often in a new session, or for 20 seconds if that is less, and prints HOW, NAME, CPU ms,
                            elapsed ms, rows of each time
forget DIR                  drops the files below it from the kernel's cache
table FILE VALUES [RESULTS] the table; the lines with a target are appended to RESULTS

The CPU is that of the backend, to the microsecond where the kernel counts so (schedstat), and of its parallel workers.
"""
import json
import os
import statistics
import subprocess
import sys
import time

MARK = "the end of the answer"
MONTH = "'2026-10-02', '2026-11-01'"
YEAR = "'2025-11-01', '2026-11-01'"
ENOUGH = 20
TICK = os.sysconf("SC_CLK_TCK")


class Session:
    def __init__(self):
        self.psql = subprocess.Popen(["psql", "-X", "-q", "-A", "-t", "-d", "stock", "-v", "ON_ERROR_STOP=1"], text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.backend = int(self.ask("SELECT pg_backend_pid()")[0])

    def ask(self, sql):
        self.psql.stdin.write(f"{sql};\n\\echo {MARK}\n")
        self.psql.stdin.flush()
        lines = []
        for line in self.psql.stdout:
            if line.rstrip("\n") == MARK:
                return lines
            lines.append(line.rstrip("\n"))
        sys.exit("psql ended")

    def cpu(self):
        """Seconds of the backend."""
        try:
            with open(f"/proc/{self.backend}/schedstat", encoding="ascii") as file:
                return int(file.read().split()[0]) / 1e9
        except OSError:
            return sum(stat(self.backend)[11:13]) / TICK


def stat(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return [int(word) for word in file.read().rpartition(")")[2].split()[1:]]


def gone():
    """Seconds of what the server started and has ended since: the parallel workers. psql's own session lasts."""
    time.sleep(0.1)
    with open(os.environ["PG_DIR"] + "/data/postmaster.pid", encoding="ascii") as file:
        return sum(stat(int(file.readline()))[12:14]) / TICK


def plan(truth, path):
    session = Session()
    rows = []
    with open(truth, encoding="ascii") as file:
        for line in list(file)[2:]:
            domain, _, _, records, *_ = line.split("\t")
            rows.append((int(records), domain))
    rows.sort(reverse=True)
    large, half = rows[0][1], sum(row[0] for row in rows) / 2
    for records, middling in rows:
        half -= records
        if half < 0:
            break
    address = session.ask("SELECT host(source_ip) FROM dmarc.record WHERE domain = '%s' AND family(source_ip) = 4 "
                          "GROUP BY source_ip ORDER BY count(*) DESC LIMIT 1" % large)[0]
    month = "day >= '2026-10-02' AND day < '2026-11-01'"
    signer = session.ask(f"SELECT signing_domain FROM dmarc.dkim_result WHERE domain = '{large}' AND {month} "
                         f"AND signing_domain <> '{large}' GROUP BY 1 ORDER BY count(*) DESC LIMIT 1")[0]
    network = address.rpartition(".")[0] + ".0/24"
    questions = {
        "senders, the largest domain, 30 days": (f"SELECT * FROM dmarc.senders('{large}', {MONTH})", "30"),
        "senders, a middling domain, 30 days": (f"SELECT * FROM dmarc.senders('{middling}', {MONTH})", "30"),
        "timeline, the largest domain, a year": (f"SELECT * FROM dmarc.timeline('{large}', {YEAR})", "10"),
        "timeline, all domains, a year": (f"SELECT * FROM dmarc.timeline(NULL, {YEAR})", "200"),
        "summary, all domains, 30 days": (f"SELECT * FROM dmarc.summary(NULL, {MONTH})", ""),
        "sources, the largest domain, 30 days": (f"SELECT * FROM dmarc.sources('{large}', {MONTH})", ""),
        "reporters, the largest domain, 30 days": (f"SELECT * FROM dmarc.reporters('{large}', {MONTH})", ""),
        "failures, the largest domain, 30 days": (f"SELECT * FROM dmarc.failures('{large}', {MONTH})", ""),
        "find_records of an address, all time": (f"SELECT * FROM dmarc.find_records('{address}')", ""),
        "find_records of a /24, all time": (f"SELECT * FROM dmarc.find_records('{network}')", ""),
        "find_records of a signing domain, largest domain, 30 days": (
            f"SELECT * FROM dmarc.find_records(NULL, '{signer}', '{large}', {MONTH})", ""),
        "addresses of a /24, all time": (f"SELECT * FROM dmarc.addresses('{network}')", ""),
        "the view of records, an address, all time": (f"SELECT * FROM dmarc.record WHERE source_ip = '{address}'", ""),
        "the views, a signing domain, largest domain, 30 days": (
            f"SELECT r.*, d.selector, d.result FROM dmarc.record r JOIN dmarc.dkim_result d USING (domain, day, report, ordinal) "
            f"WHERE domain = '{large}' AND {month} AND d.signing_domain = '{signer}'", ""),
    }
    print(f"the largest domain: {large}; a middling one: {middling}; {address}, {network}; {signer}", file=sys.stderr)
    with open(path, "w", encoding="ascii") as file:
        json.dump(questions, file)


def run(question, name, times, how):
    session = Session()
    before, costs = gone(), []
    for _ in range(times):
        start, cpu = time.monotonic(), session.cpu()
        rows = len(session.ask(question))
        costs.append((time.monotonic() - start, session.cpu() - cpu, rows))
        if sum(cost[0] for cost in costs) > ENOUGH:
            break
    workers = (gone() - before) / len(costs)
    for elapsed, cpu, rows in costs:
        print(how, name, f"{(cpu + workers) * 1000:.3f}", f"{elapsed * 1000:.3f}", rows, sep="\t")


def forget(top):
    os.sync()
    for directory, _, names in os.walk(top):
        for name in names:
            try:
                file = os.open(os.path.join(directory, name), os.O_RDONLY)
            except OSError:
                continue
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(file)


def table(questions, values, results):
    costs = {}
    with open(values, encoding="ascii") as file:
        for line in file:
            how, name, cpu, elapsed, rows = line.rstrip("\n").split("\t")
            costs.setdefault((name, how), []).append((float(cpu), float(elapsed), int(rows)))
    short = lambda x: f"{x:.0f}" if x >= 100 else f"{x:.1f}" if x >= 10 else f"{x:.2f}"
    print(f"{'':62}{'':>9} {'warm':>17} {'new session':>17} {'cold':>17}")
    print(f"{'question':62}{'rows':>9}{' '.join([''] + ['     CPU  elapsed'] * 3)}  ms")
    for name, (_, target) in questions.items():
        cells = []
        for how in ("warm", "new", "cold"):
            cells += [short(statistics.median(cost[i] for cost in costs[name, how])) for i in (0, 1)]
        print(f"{name:62}{costs[name, 'warm'][0][2]:9}", *(f"{cell:>8}" for cell in cells))
        if target:
            warm = [cost[0] for cost in costs[name, "warm"]]
            results.append("\t".join([f"{name}: CPU, warm", str(statistics.median(warm)), str(min(warm)), str(max(warm)), "ms",
                                      f"<= {target}"]))


def main():
    command, *words = sys.argv[1:]
    if command == "plan":
        plan(*words)
        return
    if command == "forget":
        forget(*words)
        return
    with open(words[0], encoding="ascii") as file:
        questions = json.load(file)
    if command == "names":
        print(*questions, sep="\n")
    elif command == "run":
        run(questions[words[1]][0], words[1], int(words[2]), words[3])
    elif command == "table":
        results = []
        table(questions, words[1], results)
        with open(words[2], "w", encoding="ascii") as file:
            file.writelines(line + "\n" for line in results)


if __name__ == "__main__":
    main()
