#!/usr/bin/python3
"""A DNS server for tests, UDP and TCP on a free port of loopback: dns_server.py ZONE DIR [DELAY_MS]

ZONE has a record a line: NAME TYPE TTL VALUE, with A, AAAA, PTR, CNAME, and for a PTR also HEX, its bytes as they are, and MANY,
which is so many names n00000.example and on. Of other types the server does, for this name, what they say: SERVFAIL, REFUSED,
SILENT, GARBAGE (bytes that are no answer), OTHER (the answer to another question), EMPTY (no such record), LARGE (over UDP only
that the answer is too large). What is not there does not exist, for 600 seconds. The port goes to DIR/port; on SIGTERM the number
of questions and the most that waited for their answer at once go to DIR/asked. Without a ZONE it is silent. Ends by itself after
five minutes.
"""
import asyncio
import os
import signal
import socket
import struct
import sys

TYPES = {"A": 1, "CNAME": 5, "SOA": 6, "PTR": 12, "AAAA": 28}
TRICKS = {"SERVFAIL", "REFUSED", "SILENT", "GARBAGE", "OTHER", "EMPTY", "LARGE"}
UDP_MOST = 1232


def wire(name):
    labels = name.rstrip(".").encode().split(b".") if name != "." else []
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def record(owner, kind, ttl, data):
    return owner + struct.pack("!HHIH", TYPES[kind], 1, ttl, len(data)) + data


def data_of(kind, value):
    """What a line of the zone stands for: [(type, data)]."""
    if kind in ("A", "AAAA"):
        return [(kind, socket.inet_pton(socket.AF_INET if kind == "A" else socket.AF_INET6, value))]
    if kind == "HEX":
        return [("PTR", bytes.fromhex(value))]
    if kind == "MANY":
        return [("PTR", wire(f"n{i:05}.example")) for i in range(int(value))]
    return [(kind, wire(value))]


def read_zone(path):
    records, tricks = {}, {}
    with open(path, encoding="ascii") as file:
        for line in file:
            if not line.strip():
                continue
            name, kind, *rest = line.split()
            if kind in TRICKS:
                tricks[name.lower()] = kind
            else:
                for real, data in data_of(kind, rest[1]):
                    records.setdefault(name.lower(), []).append((real, int(rest[0]), data, rest[1]))
    return records, tricks


class Server:
    def __init__(self, zone, delay):
        self.records, self.tricks = zone
        self.delay = delay
        self.asked = self.waiting = self.most = 0

    def found(self, name, kind):
        """The records that answer, behind up to eight CNAMEs, and whether the last name exists."""
        answer, owner = [], b"\xc0\x0c"  # the name in the question
        for _ in range(8):
            here = self.records.get(name, [])
            answer += [record(owner, k, ttl, data) for k, ttl, data, _ in here if TYPES[k] == kind]
            aliases = [(ttl, data, value) for k, ttl, data, value in here if k == "CNAME"]
            if not aliases or kind == TYPES["CNAME"]:
                return answer, bool(here)
            ttl, data, name = aliases[0]
            answer.append(record(owner, "CNAME", ttl, data))
            owner = wire(name)
        return answer, True

    def reply(self, query, tcp):
        """The answer, or None."""
        number, = struct.unpack("!H", query[:2])
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1").lower())
            at += 1 + query[at]
        kind, = struct.unpack("!H", query[at + 1:at + 3])
        question = query[12:at + 5]
        name = ".".join(labels)
        trick = self.tricks.get(name)
        if trick == "SILENT" or self.records is None:
            return None
        if trick == "GARBAGE":
            return query[:2] + b"\x84\x00\xff\xff\xff\xff\xc0\x0c" + bytes(range(200))
        flags, authority = 0x8580, b""
        answer, exists = self.found(name, kind)
        if trick == "OTHER":
            question, answer = wire("other.example") + question[-4:], [record(b"\xc0\x0c", "A", 60, b"\x01\x02\x03\x04")]
        if trick in ("SERVFAIL", "REFUSED"):
            flags |= 2 if trick == "SERVFAIL" else 5
        elif not answer:
            soa = wire("ns.example") + wire("mail.example") + struct.pack("!5I", 1, 600, 600, 600, 600)
            authority = record(wire("."), "SOA", 600, soa)
            flags |= 0 if exists or trick == "EMPTY" else 3
        message = struct.pack("!6H", number, flags, 1, len(answer), bool(authority), 0) + question + b"".join(answer) + authority
        if not tcp and (trick == "LARGE" or len(message) > UDP_MOST):
            message = struct.pack("!6H", number, flags | 0x200, 1, 0, 0, 0) + question
        return message

    def take(self, query, tcp, send):
        """Sends the answer when its time has come."""
        self.asked += 1
        self.waiting += 1
        self.most = max(self.most, self.waiting)

        def answer():
            self.waiting -= 1
            message = self.reply(query, tcp)
            if message is not None:
                send(message)
        asyncio.get_running_loop().call_later(self.delay, answer)


class Udp(asyncio.DatagramProtocol):
    def __init__(self, server):
        self.server = server

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.server.take(data, False, lambda message: self.transport.sendto(message, addr))


async def serve_tcp(server, reader, writer):
    try:
        while True:
            length, = struct.unpack("!H", await reader.readexactly(2))
            query = await reader.readexactly(length)
            server.take(query, True, lambda message: writer.write(struct.pack("!H", len(message)) + message))
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def sockets():
    """A UDP and a TCP socket of the same port."""
    while True:
        tcp = socket.create_server(("127.0.0.1", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        try:
            udp.bind(tcp.getsockname())
            return udp, tcp
        except OSError:
            tcp.close()
            udp.close()


async def main(zone, directory, delay="0"):
    server = Server(read_zone(zone) if zone else (None, {}), int(delay) / 1000)
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    udp, tcp = sockets()
    await loop.create_datagram_endpoint(lambda: Udp(server), sock=udp)
    await asyncio.start_server(lambda reader, writer: serve_tcp(server, reader, writer), sock=tcp)
    with open(f"{directory}/port.new", "w", encoding="ascii") as file:
        file.write(str(udp.getsockname()[1]))
    os.rename(f"{directory}/port.new", f"{directory}/port")
    try:
        await asyncio.wait_for(ended.wait(), 300)
    except asyncio.TimeoutError:
        pass
    with open(f"{directory}/asked", "w", encoding="ascii") as file:
        file.write(f"{server.asked} {server.most}\n")


asyncio.run(main(*sys.argv[1:]))
