#!/usr/bin/python3
"""An IMAP server that misbehaves as it is told: imap_mock.py DIR

DIR/tls holds right.pem and right.key. It listens on two free ports of loopback, TLS and plain (for STARTTLS), and writes
both to DIR/ports. For each connection it takes the first name of a scenario from DIR/scenario, where the last one stays for
all that follow, and adds the commands that come to DIR/commands. Ends by itself after five minutes.

A scenario is a function of the same name that gets the server and the command; where it returns true, the command is
answered, else the mailbox answers it as a good server would.
"""
import os
import re
import socket
import ssl
import sys
import threading
import time

DIR = sys.argv[1]
MAILS = {uid: f"Subject: {uid}\r\n\r\nmail {uid}\r\n".encode() for uid in (1, 2, 3)}
MAILS[2] = b"Subject: forged\r\n\r\n)\r\nW7 OK done\r\nW8 OK done\r\n* BYE no\r\n* 1 EXPUNGE\r\n* OK [UIDVALIDITY 9]\r\n"
CAPABILITIES = "IMAP4rev1 AUTH=PLAIN SASL-IR NAMESPACE MOVE UIDPLUS"


class Gone(Exception):
    """The connection is over."""


class Server:
    def __init__(self, sock, context, scenario):
        self.sock, self.context, self.name = sock, context, scenario
        self.scenario = globals()["do_" + scenario.replace("-", "_")]
        self.tls = isinstance(sock, ssl.SSLSocket)
        self.pending = b""
        self.tag = "*"
        self.capabilities = CAPABILITIES

    def send(self, data):
        self.sock.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def line(self, text):
        self.send(text + "\r\n")

    def ok(self, text="done"):
        self.line(f"{self.tag} OK {text}")
        return True

    def no(self, text):
        self.line(f"{self.tag} NO {text}")
        return True

    def cut(self):
        """Ends the connection without a word."""
        os.close(self.sock.detach())
        raise Gone

    def bye(self, text):
        self.line(f"* BYE {text}")
        self.stall()

    def stall(self):
        """Says no more, until the other side goes away."""
        self.sock.settimeout(20)
        while self.sock.recv(4096):
            pass
        raise Gone

    def read(self):
        while b"\r\n" not in self.pending:
            data = self.sock.recv(4096)
            if not data:
                raise Gone
            self.pending += data
        line, self.pending = self.pending.split(b"\r\n", 1)
        return line.decode("latin-1")

    def fetch(self, uid, body=None):
        body = body or MAILS[uid]
        self.send(f"* {uid} FETCH (UID {uid} BODY[] {{{len(body)}}}\r\n".encode() + body + b")\r\n")

    def fetch_late(self, uid):
        """The same with the UID behind the mail."""
        body = MAILS[uid]
        self.send(f"* {uid} FETCH (FLAGS (\\Seen) BODY[] {{{len(body)}}}\r\n".encode() + body +
                  f" RFC822.SIZE 1 UID {uid})\r\n".encode())

    def start_tls(self):
        self.ok("begin TLS")
        self.sock = self.context.wrap_socket(self.sock, server_side=True)
        self.tls = True

    def standard(self, command):
        word = " ".join(command.upper().split()[:2]) if command.upper().startswith("UID ") else command.upper().split()[0]
        if word == "CAPABILITY":
            self.line("* CAPABILITY " + self.capabilities + ("" if self.tls else " STARTTLS"))
        elif word == "STARTTLS":
            self.start_tls()
            return
        elif word == "AUTHENTICATE":
            if command.upper() == "AUTHENTICATE PLAIN":
                self.line("+ ")
                self.read()
        elif word == "NAMESPACE":
            self.line('* NAMESPACE (("" "/" "X-FLAGS" ("a" "b")) ("#mh/" "/")) NIL (("#shared/" "/"))')
        elif word in ("SELECT", "EXAMINE"):
            self.send("* 3 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [PERMANENTFLAGS (\\Seen \\Deleted)] kept\r\n"
                      "* FLAGS (\\Seen \\Deleted)\r\n")
            self.ok("[READ-WRITE] selected")
            return
        elif word == "UID SEARCH":
            span = re.search(r"UID (\d+)(:?)(\d*)", command[10:])
            self.line("* SEARCH " + " ".join(str(uid) for uid in MAILS if not span or
                                             int(span.group(1)) <= uid <= int(span.group(3) or (span.group(2) and "99") or span.group(1))))
        elif word == "UID FETCH" and "BODY" not in command:
            for uid, body in MAILS.items():
                self.line(f"* {uid} FETCH (UID {uid} RFC822.SIZE {len(body)})")
        elif word == "UID FETCH":
            for uid in MAILS:
                self.fetch(uid)
        elif word == "LOGOUT":
            self.line("* BYE logging out")
            self.ok()
            raise Gone
        self.ok()

    def run(self):
        with open(f"{DIR}/commands", "a", encoding="latin-1") as log:
            if not self.scenario(self, "GREETING"):
                self.line("* OK ready")
            while True:
                self.tag, command = self.read().split(" ", 1)
                log.write(command + "\n")
                log.flush()
                if not self.scenario(self, command):
                    self.standard(command)


def on(prefix, action):
    """A scenario that is good but for one kind of command."""
    return lambda server, command: command.startswith(prefix) and action(server)


def is_fetch(command):
    return command.startswith("UID FETCH") and "BODY" in command


def in_fetch(action):
    """The same, for the FETCH of the mails, after the first of which something happens."""
    return lambda server, command: is_fetch(command) and (server.fetch(1), action(server))[1]


def answered(*lines):
    """An action that sends these and then OK."""
    return lambda server: (server.send("".join(lines)), server.ok())[1]


def flood(unit, megabytes=300):
    """An action that sends the same for ever, as long as somebody listens."""
    def action(server):
        block = unit * (65536 // len(unit))
        for _ in range(megabytes * 16):
            server.send(block)
        server.stall()
    return action


def trickle(server):
    while True:
        server.send("x")
        time.sleep(0.2)


# Good, in odd ways.
do_good = lambda server, command: False
do_leftover = on("AUTHENTICATE", lambda s: s.ok("in\r\nILITY X] rest of a line\r\n)) {99}\r\n* 3 EXISTS"))
do_unsolicited = lambda server, command: command != "GREETING" and not command.startswith(("AUTHENTICATE", "STARTTLS")) \
    and server.send("* 5 EXISTS\r\n* 0 RECENT\r\n* OK [ALERT] hear hear\r\n* 2 FETCH (FLAGS (\\Seen) MODSEQ (12))\r\n"
                    "* 9 FETCH (UID 99 FLAGS () BODY[] {5}\r\n)\r\nW3)\r\n* X-NEWS ((a (b) \"c\") {3}\r\n)))\r\n")
do_order = lambda server, command: is_fetch(command) and ([server.fetch_late(uid) for uid in MAILS], server.ok())[1]
do_twice = lambda server, command: is_fetch(command) and (
    [server.fetch(uid) or server.fetch_late(uid) for uid in (3, 1, 1, 2, 3)], server.ok())[1]
do_nil = in_fetch(answered("* 2 FETCH (UID 2 BODY[] NIL)\r\n* 3 FETCH (UID 3 BODY[] {3}\r\nabc)\r\n"))
do_empty = in_fetch(answered("* 2 FETCH (UID 2 BODY[] {0}\r\n)\r\n* 3 FETCH (UID 3 BODY[] \"abc\")\r\n"))
do_short = in_fetch(answered("* 3 FETCH (UID 3 BODY[] {3}\r\nabc)\r\n"))
do_larger = in_fetch(lambda s: (s.fetch(2, b"x" * 1500), s.fetch(3), s.ok())[2])
do_much_larger = in_fetch(lambda s: (s.fetch(2, b"x" * 3000), s.fetch(3), s.ok())[2])


def do_vanished(server, command):
    """The mails vanish before they are fetched, and the server says NO."""
    if is_fetch(command):
        server.fetch(1)
        return server.no("some are gone")
    if command.startswith("UID SEARCH UID 2:3"):
        server.line("* SEARCH")
        return server.ok()
    return False


# TLS that is not.
do_stripped = lambda server, command: command == "CAPABILITY" and not server.tls and (
    server.line("* CAPABILITY IMAP4rev1 AUTH=PLAIN"), server.ok())[1]
do_starttls_no = on("STARTTLS", lambda s: s.no("not now"))
do_starttls_bad = on("STARTTLS", lambda s: (s.line(f"{s.tag} BAD what"), True)[1])
do_injected = on("STARTTLS", lambda s: (s.send(f"{s.tag} OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"), s.stall()))
do_preauth = on("GREETING", lambda s: (s.line("* PREAUTH welcome"), True)[1])

# Farewells.
do_bye_greeting = on("GREETING", lambda s: s.bye("too many connections"))
do_bye_login = on("AUTHENTICATE", lambda s: s.bye("shutting down"))
do_bye_capability = lambda server, command: command == "CAPABILITY" and server.tag.startswith("W") and server.bye("shutting down")
do_bye_namespace = on("NAMESPACE", lambda s: s.bye("shutting down"))
do_bye_select = on("SELECT", lambda s: s.bye("shutting down"))
do_bye_search = on("UID SEARCH", lambda s: s.bye("shutting down"))
do_bye_size = on("UID FETCH", lambda s: s.bye("shutting down"))
do_bye_fetch = in_fetch(lambda s: s.bye("shutting down \033]0;x\007"))
do_bye_move = on("UID MOVE", lambda s: s.bye("shutting down"))

# Silence.
do_cut_login = on("AUTHENTICATE", lambda s: s.cut())
do_cut_search = on("UID SEARCH", lambda s: s.cut())
do_cut_literal = in_fetch(lambda s: (s.send("* 2 FETCH (UID 2 BODY[] {5000}\r\nhalf a mail"), s.cut()))
do_close_literal = in_fetch(lambda s: (s.send("* 2 FETCH (UID 2 BODY[] {5000}\r\nhalf a mail"), s.sock.unwrap(), s.cut()))
do_cut_move = on("UID MOVE", lambda s: s.cut())
do_stall_greeting = on("GREETING", lambda s: s.stall())
do_stall_login = on("AUTHENTICATE", lambda s: s.stall())
do_stall_select = on("SELECT", lambda s: s.stall())
do_stall_literal = in_fetch(lambda s: (s.send("* 2 FETCH (UID 2 BODY[] {5000}\r\nhalf a mail"), s.stall()))
do_stall_move = on("UID MOVE", lambda s: s.stall())
do_trickle = in_fetch(lambda s: (s.send("* 2 FETCH (UID 2 BODY[] {5000}\r\n"), trickle(s)))

# What no server says.
do_nested = in_fetch(lambda s: (s.send("* 2 FETCH (ENVELOPE "), flood("(")(s)))
do_long_line = on("UID SEARCH", lambda s: (s.send("* OK "), flood("x")(s)))
do_endless = on("UID SEARCH", flood("* OK still busy\r\n"))
do_big_literal = in_fetch(lambda s: (s.send("* 2 FETCH (UID 2 BODY[] {4294967296}\r\n"), flood("x")(s)))
do_huge_literal = in_fetch(lambda s: (s.send("* 2 FETCH (UID 2 BODY[] {9999999999999999999999}\r\n"), s.stall()))
do_nul = on("SELECT", lambda s: (s.send("* OK \0\r\n"), s.stall()))
do_garbage = on("SELECT", lambda s: (s.send("HTTP/1.1 400 Bad Request\r\n\r\n"), s.stall()))
do_other_tag = on("UID SEARCH", lambda s: (s.line("W999 OK done"), s.stall()))
do_go_on = on("UID SEARCH", lambda s: (s.line("+ more please"), s.stall()))
do_bad_uid = on("UID SEARCH", answered("* SEARCH 1 2 99999999999\r\n"))
do_bad_fetch = in_fetch(lambda s: (s.line("* 2 FETCH (UID x BODY[] NIL)"), s.stall()))
do_flat_fetch = in_fetch(lambda s: (s.line("* 2 FETCH UID 2"), s.stall()))
do_no_capability = lambda server, command: command == "CAPABILITY" and server.tag.startswith("W") and server.no("not now")
do_fetch_no = in_fetch(lambda s: s.no("[SERVERBUG] cannot open the file"))

# What a mailbox must not do.
do_renumbered = in_fetch(lambda s: (s.line("* OK [UIDVALIDITY 8] new"), s.fetch(2), s.fetch(3), s.ok())[3])
do_renumbered_late = on("UID MOVE", lambda s: (s.line("* OK [UIDVALIDITY 8] new"), s.ok())[1])
do_unnumbered = on("SELECT", lambda s: (s.line("* 3 EXISTS"), s.ok())[1])
do_read_only = on("SELECT", lambda s: (s.line("* OK [UIDVALIDITY 7] ok"), s.ok("[READ-ONLY] selected"))[1])
do_over_quota = on("UID MOVE", lambda s: s.no("[OVERQUOTA] Quota exceeded"))
do_no_folder = lambda server, command: (command.startswith("UID MOVE") and server.no("no such folder")) or \
    (command.startswith("CREATE") and server.no("[NOPERM] you must not"))
do_refused = on("AUTHENTICATE", lambda s: s.no("[AUTHENTICATIONFAILED] secret is not the password"))
do_unavailable = on("AUTHENTICATE", lambda s: s.no("[UNAVAILABLE] directory is down"))


def do_move_bad(server, command):
    """MOVE is announced and not known."""
    return command.startswith("UID MOVE") and (server.line(f"{server.tag} BAD Command Argument Error. 12"), True)[1]


def uids_of(command):
    """The UIDs of a command with a set."""
    uids = set()
    for part in command.split()[2].split(","):
        first, last = (part.split(":") + [part])[:2]
        uids.update(range(int(first), int(last) + 1))
    return uids


# One mail that cannot be moved, one that cannot be fetched.
do_stubborn = lambda server, command: command.startswith("UID MOVE") and 2 in uids_of(command) and server.no("not this one")
do_poison = lambda server, command: is_fetch(command) and 2 in uids_of(command) and server.cut()
do_other_numbers = on("SELECT", lambda s: (s.send("* 3 EXISTS\r\n* OK [UIDVALIDITY 8] ok\r\n"), s.ok("[READ-WRITE] selected"))[1])


# Waiting: the mailbox has three mails, as SELECT said.
def do_idle_cut(server, command):
    server.capabilities = CAPABILITIES + " IDLE"
    return command == "IDLE" and (server.line("+ idling"), server.cut())


def do_idle_no(server, command):
    server.capabilities = CAPABILITIES + " IDLE"
    return command == "IDLE" and server.no("not today")


def do_idle_ends(server, command):
    server.capabilities = CAPABILITIES + " IDLE"
    return command == "IDLE" and (server.line("+ idling"), server.ok("that was it"))[1]


def do_idle_deaf(server, command):
    """Takes IDLE, and says nothing any more."""
    server.capabilities = CAPABILITIES + " IDLE"
    return command == "IDLE" and (server.line("+ idling"), server.stall())


def do_idle_repeats(server, command):
    """Says the same number again and again, which is no news; with the second IDLE there is one more."""
    server.capabilities = CAPABILITIES + " IDLE"
    if command == "IDLE":
        server.idles = getattr(server, "idles", 0) + 1
        server.send("+ idling\r\n* 3 EXISTS\r\n* 0 RECENT\r\n* OK still here\r\n")
        if server.idles == 2:
            server.send("* 3 EXISTS\r\n* 4 EXISTS\r\n")
        server.idle_tag = server.tag
        done = server.read()
        return server.ok("ended") if done == "DONE" else server.stall()
    return False


def do_plain_copy(server, command):
    server.capabilities = "IMAP4rev1 AUTH=PLAIN"
    if command.startswith('LIST "" ""'):
        server.line('* LIST (\\Noselect) "." ""')
        return server.ok()
    return False


def do_copy_only(server, command):
    """Copies, and lets nobody delete."""
    server.capabilities = "IMAP4rev1 AUTH=PLAIN"
    return command.startswith("UID STORE") and server.no("these are kept for ever")


def do_copy_cut(server, command):
    """Copies, and ends before the copied mails are marked."""
    server.capabilities = "IMAP4rev1 AUTH=PLAIN"
    return command.startswith("UID STORE") and server.cut()


def do_late_news(server, command):
    """The mails vanish before they are moved, and there is a new one, which is told with the next NOOP."""
    server.capabilities = CAPABILITIES + " IDLE"
    if command.startswith("UID MOVE"):
        return server.no("they are gone")
    if command == "NOOP":
        server.line("* 4 EXISTS")
        return server.ok()
    if command == "UID SEARCH UID 1:3":
        server.line("* SEARCH")
        return server.ok()
    return command == "IDLE" and (server.line("+ idling"), server.read(), server.ok("ended"))[2]


def next_scenario():
    with open(f"{DIR}/scenario", encoding="ascii") as file:
        names = file.read().split()
    if len(names) > 1:
        with open(f"{DIR}/scenario", "w", encoding="ascii") as file:
            file.write(" ".join(names[1:]) + "\n")
    return names[0]


def serve(listener, context, tls):
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=talk, args=(sock, context, tls), daemon=True).start()


def talk(sock, context, tls):
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            sock = context.wrap_socket(sock, server_side=True)
        server = Server(sock, context, next_scenario())
        server.run()
    except (Gone, OSError):
        pass
    finally:
        sock.close()


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{DIR}/tls/right.pem", f"{DIR}/tls/right.key")
    ports = []
    for tls in (True, False):
        listener = socket.create_server(("127.0.0.1", 0))
        ports.append(str(listener.getsockname()[1]))
        threading.Thread(target=serve, args=(listener, context, tls), daemon=True).start()
    with open(f"{DIR}/ports.new", "w", encoding="ascii") as file:
        file.write(" ".join(ports) + "\n")
    os.rename(f"{DIR}/ports.new", f"{DIR}/ports")
    time.sleep(300)


main()
