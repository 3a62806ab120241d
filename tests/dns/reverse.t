#!/usr/bin/python3
"""Reverse names against a server of ours: thousands at once, hostile answers, and resolvers that are dead."""
import ipaddress
import os
import signal
import subprocess
import sys
import tempfile
import time

TOOL = os.environ.get("REVERSE_LOOKUP", "build/tests/reverse_lookup")
HOUR, DAY = 3600, 86400
done = 0
failed = False


def ok(good, title, *details):
    global done, failed
    done += 1
    failed |= not good
    print(f"{'ok' if good else 'not ok'} {done} - {title}", flush=True)
    for detail in details if not good else ():
        print("# " + str(detail).replace("\n", "\n# "), flush=True)


def arpa(address):
    return ipaddress.ip_address(address).reverse_pointer


class Server:
    """tests/lib/dns_server.py with the lines of a zone; None: silent."""

    def __init__(self, lines, delay=0):
        self.lines, self.delay = lines, delay

    def __enter__(self):
        self.dir = tempfile.TemporaryDirectory()
        zone = f"{self.dir.name}/zone" if self.lines is not None else ""
        if zone:
            with open(zone, "w", encoding="ascii") as file:
                file.write("".join(line + "\n" for line in self.lines))
        self.process = subprocess.Popen(["tests/lib/dns_server.py", zone, self.dir.name, str(self.delay)])
        while not os.path.exists(f"{self.dir.name}/port"):
            if self.process.poll() is not None:
                sys.exit("the server did not start")
            time.sleep(0.02)
        with open(f"{self.dir.name}/port", encoding="ascii") as file:
            self.resolver = "127.0.0.1@" + file.read()
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        with open(f"{self.dir.name}/asked", encoding="ascii") as file:
            self.asked, self.most = map(int, file.read().split())
        self.dir.cleanup()


def command(resolver, *options):
    return [TOOL, "--resolver", resolver, *options]


def look_up(server, addresses, *options, before=()):
    """{address: (status, name, seconds)}, what was said in the end, the exit status and how long it took."""
    began = time.monotonic()
    run = subprocess.run([*before, *command(server.resolver, *options)], input="".join(a + "\n" for a in addresses),
                         text=True, capture_output=True, check=False)
    rows = [line.split("\t") for line in run.stdout.splitlines()]
    answers = {address: (status, name, int(seconds)) for address, status, name, seconds in rows}
    if len(answers) != len(rows):
        answers["twice"] = rows
    return answers, run.stderr, run.returncode, time.monotonic() - began


def wrong(answers, expected):
    """What is not as expected; seconds may be one less."""
    lines = []
    for address in sorted({*answers, *expected}):
        got, want = answers.get(address), expected.get(address)
        if got is None or want is None or got[:2] != want[:2] or (want[2:] and not want[2] - 2 <= got[2] <= want[2]):
            lines.append(f"{address}: {got}, not {want}")
    return lines[:10]


def crowd(n):
    """Addresses of every status: the lines of their zone and what is expected of each."""
    lines, expected = ["mail.google.com A 300 12.9.9.9"], {}
    for i in range(n):
        address = f"11.0.{i >> 8}.{i & 255}" if i % 3 else f"2a00:1:2::{i:x}"
        kind = "AAAA" if ":" in address else "A"
        point, name = arpa(address), f"h{i}.example"
        if i % 10 < 6:
            lines += [f"{point} PTR {DAY} {name}", f"{name} {kind} {DAY} {address}"]
            expected[address] = ("confirmed", name, DAY)
        elif i % 10 < 8:
            lines += [f"{point} PTR {DAY} mail.google.com"]
            expected[address] = ("unconfirmed", "-", DAY)
        elif i % 10 == 8:
            expected[address] = ("none", "-", DAY)
        else:
            lines += [f"{point} SERVFAIL"]
            expected[address] = ("failed", "-", HOUR)
    return lines, expected


def test_crowd():
    lines, expected = crowd(5000)
    with Server(lines, 200) as server:
        answers, said, status, took = look_up(server, expected, "--at-once", "4000")
    bad = wrong(answers, expected)
    ok(not bad and status == 0, "5,000 addresses, each with its status", *bad, said)
    ok(server.most >= 1000, "more than 1,000 questions wait for their answer at once", server.most)
    print(f"# {server.asked} questions, {server.most} at once; {said.strip()}")
    ok(took < 40, "which takes seconds, where one by one would take half an hour", took)
    some = dict(list(expected.items())[:500])
    with Server(lines, 20) as server:
        answers, said, status, took = look_up(server, some, before=["prlimit", "--nofile=100"])
    bad = wrong(answers, some)
    ok(not bad and status == 0, "the same where 100 files may be open", *bad, said)
    with Server(lines) as server:
        answers, said, status, took = look_up(server, some, "--at-once", "1")
    bad = wrong(answers, some)
    ok(not bad and ", 1 at once" in said and server.most == 1, "one at a time", *bad, said, server.most)


# address: the lines of its zone, in which @ is its name there, and what is expected.
HOSTILE = {
    "11.0.0.1": (["@ PTR 60 Mail.Example.COM", "mail.example.com A 60 11.0.0.1"], ("confirmed", "mail.example.com", HOUR)),
    "11.0.0.2": (["@ PTR 60 mail.google.com"], ("unconfirmed", "-", DAY)),
    "2a00::2": (["@ PTR 60 mail.google.com"], ("unconfirmed", "-", DAY)),
    "2a00::3": (["@ PTR 60 six.example", "six.example AAAA 60 2a00::4", "six.example AAAA 60 2a00::3"],
                ("confirmed", "six.example")),
    "2a00::4": (["@ PTR 60 four.example", "four.example A 60 11.0.0.1"], ("unconfirmed", "-")),
    # RFC 2317, and a name that is an alias
    "11.0.0.5": (["@ CNAME 60 5.sub.0.0.11.in-addr.arpa", "5.sub.0.0.11.in-addr.arpa PTR 60 alias.example",
                  "alias.example CNAME 60 real.example", "real.example A 60 11.0.0.5"], ("confirmed", "alias.example")),
    "11.0.0.6": (["@ CNAME 60 a.loop.example", "a.loop.example CNAME 60 b.loop.example",
                  "b.loop.example CNAME 60 a.loop.example"], ("failed", "-", HOUR)),
    "11.0.0.7": (["@ PTR 60 c.loop.example", "c.loop.example CNAME 60 c.loop.example"], ("failed", "-")),
    # of several names the first one that is confirmed, and no more than four are tried
    "11.0.0.8": (["@ PTR 60 z.eight.example", "@ PTR 60 b.eight.example", "@ PTR 60 a.eight.example",
                  "z.eight.example A 60 11.0.0.8", "b.eight.example A 60 11.0.0.8"], ("confirmed", "b.eight.example")),
    "11.0.0.9": ([f"@ PTR 60 {c}.nine.example" for c in "badce"] + ["e.nine.example A 60 11.0.0.9"], ("unconfirmed", "-")),
    "11.0.0.10": (["@ PTR 60 a.ten.example", "@ PTR 60 b.ten.example", "a.ten.example SERVFAIL",
                   "b.ten.example A 60 11.0.0.10"], ("confirmed", "b.ten.example")),
    "11.0.0.11": (["@ PTR 60 a.eleven.example", "@ PTR 60 b.eleven.example", "a.eleven.example REFUSED"], ("failed", "-")),
    # thousands of names, which UDP has no room for
    "11.0.0.12": (["@ MANY 60 1500", "n00003.example A 60 11.0.0.12"], ("confirmed", "n00003.example")),
    "11.0.0.13": (["@ LARGE", "@ PTR 60 tcp.example", "tcp.example A 60 11.0.0.13"], ("confirmed", "tcp.example")),
    # TTLs of nothing, of weeks, and of more than there are
    "11.0.0.14": (["@ PTR 0 zero.example", "zero.example A 0 11.0.0.14"], ("confirmed", "zero.example", HOUR)),
    "11.0.0.15": (["@ PTR 4294967295 huge.example", "huge.example A 4294967295 11.0.0.15"], ("confirmed", "huge.example")),
    "11.0.0.16": (["@ PTR 2147483647 long.example", "long.example A 7200 11.0.0.16"], ("confirmed", "long.example", 7200)),
    # bytes that are no host: NUL, a dot, an umlaut, an escape; 255 bytes; a name that ends nowhere
    "11.0.0.17": (["@ HEX 60 01610362006303636f6d00"], ("none", "-", DAY)),
    "11.0.0.18": (["@ HEX 60 0161036d2e6e03636f6d00"], ("none", "-")),
    "11.0.0.19": (["@ HEX 60 01610362e46303636f6d00"], ("none", "-")),
    "11.0.0.20": (["@ HEX 60 0161031b5b6d03636f6d00"], ("none", "-")),
    "11.0.0.21": (["@ HEX 60 " + ("3f" + "61" * 63) * 3 + "3d" + "61" * 61 + "00"], ("unconfirmed", "-")),
    "11.0.0.22": (["@ PTR 60 22.0.0.11"], ("none", "-")),
    "11.0.0.23": (["@ HEX 60 3f6162"], ("failed", "-")),
    # servers that lie or fail
    "11.0.0.24": (["@ GARBAGE"], ("failed", "-")),
    "11.0.0.25": (["@ REFUSED"], ("failed", "-")),
    "11.0.0.26": (["@ EMPTY"], ("none", "-")),
    "11.0.0.27": (["@ PTR 60 wrong.example", "wrong.example OTHER"], ("failed", "-")),
    "11.0.0.28": (["@ SILENT"], ("failed", "-")),
    "::ffff:11.0.0.1": ([], ("confirmed", "mail.example.com")),
    "10.0.0.1": (["@ PTR 60 private.example", "private.example A 60 10.0.0.1"], ("none", "-")),
    "198.18.0.1": (["@ PTR 60 bench.example", "bench.example A 60 198.18.0.1"], ("none", "-")),
    "2001:db8::1": (["@ PTR 60 book.example", "book.example AAAA 60 2001:db8::1"], ("none", "-")),
    "no address": ([], ("none", "-")),
}


def test_hostile():
    lines = [line.replace("@", arpa(address)) for address, (zone, _) in HOSTILE.items() for line in zone]
    expected = {address: want for address, (_, want) in HOSTILE.items()}
    with Server(lines + ["mail.google.com A 300 12.9.9.9"]) as server:
        answers, said, status, _ = look_up(server, expected, "--address-seconds", "4")
        for address, want in expected.items():
            bad = wrong({address: answers.get(address)}, {address: want})
            ok(not bad, f"{address} {' '.join(HOSTILE[address][0])[:60]}", *bad)
        ok(status == 0 and len(answers) == len(expected), "and nothing else", said, status)
        answers, said, _, _ = look_up(server, ["11.0.0.9"], "--names", "5")
    ok(answers["11.0.0.9"][:2] == ("confirmed", "e.nine.example"), "a fifth name, when five may be tried", answers, said)
    with Server([]) as server:
        private = ["127.0.0.1", "10.1.2.3", "192.168.1.1", "fe80::1", "fd00::1", "2001:db8::7", "198.51.100.1", "198.18.0.1", "224.0.0.5",
                   "240.0.0.1", "64:ff9b::b00:1"]
        answers, said, _, _ = look_up(server, private)
    ok(server.asked == 0 and not wrong(answers, {a: ("none", "-", DAY) for a in private}),
       "nobody is asked about addresses that are not public", server.asked, answers)


def test_dead():
    many = [f"11.{i >> 8}.0.{i & 255}" for i in range(2000)]
    with Server(None) as server:
        answers, said, status, took = look_up(server, many, "--address-seconds", "2")
        ok(status == 0 and ", silent" in said and took < 6, "a resolver that is silent: it ends soon", said, took)
        ok(0 < len(answers) < 100 and {a[:2] for a in answers.values()} == {("failed", "-")},
           "with the first ones failed and the rest left", len(answers))
        answers, said, status, took = look_up(server, many, "--run-seconds", "2")
        ok(status == 0 and ", late" in said and took < 6 and len(answers) < 100, "or when its time is up", said, took)
        tool = subprocess.Popen(command(server.resolver), stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        tool.stdin.write("".join(a + "\n" for a in many))
        tool.stdin.flush()
        time.sleep(1)
        began = time.monotonic()
        tool.send_signal(signal.SIGTERM)
        _, said = tool.communicate()
        ok(tool.returncode == 75 and "interrupted" in said and time.monotonic() - began < 4, "or when it is stopped", said)
        server.resolver = "127.0.0.1@1"
        answers, said, status, took = look_up(server, many, "--address-seconds", "2")
        ok(status == 0 and ", silent" in said and took < 6, "a port where nobody listens", said, took)
        server.resolver = "resolver\x1b.example"
        answers, said, status, took = look_up(server, many)
        ok(status == 78 and "cannot use 'resolver\\033.example' as a resolver" in said and not answers,
           "a resolver that is no address", said, status)
    lines, expected = crowd(2000)
    with Server(lines, 300) as server:
        answers, said, status, took = look_up(server, expected, "--at-once", "100", "--run-seconds", "3")
    bad = wrong(answers, {a: expected[a] if answers[a][0] != "failed" else ("failed", "-", HOUR) for a in answers})
    ok(not bad and ", late" in said and took < 8 and 100 < len(answers) < 2000,
       "one that is too slow: what came in time counts", *bad, said, took, len(answers))
    with Server([f"{arpa(a)} SERVFAIL" for a in many]) as server:
        answers, said, status, took = look_up(server, many)
    ok(status == 0 and not wrong(answers, {a: ("failed", "-", HOUR) for a in many}), "one that fails always", said, took)


os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
test_crowd()
test_hostile()
test_dead()
print(f"1..{done}")
sys.exit(failed)
