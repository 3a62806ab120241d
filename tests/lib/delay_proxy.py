#!/usr/bin/python3
"""A TCP proxy that makes a server far away: delay_proxy.py PORT MILLISECONDS PORT_FILE

Listens on a free port of loopback, which it writes to PORT_FILE, and hands all bytes on to PORT there, each half of MILLISECONDS
after it came, in either direction; as many bytes as there are may be on their way at once. TLS passes through. Ends by itself
after ten minutes."""
import collections
import os
import selectors
import socket
import sys
import time


class Way:
    """One direction of a connection."""

    def __init__(self, source, target):
        self.source, self.target = source, target
        self.held = collections.deque()  # (when due, bytes); b"" is the end

    def take(self, delay):
        try:
            data = self.source.recv(262144)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        self.held.append((time.monotonic() + delay, data))
        return bool(data)

    def give(self, now):
        while self.held and self.held[0][0] <= now:
            data = self.held[0][1]
            try:
                if not data:
                    self.target.shutdown(socket.SHUT_WR)
                    self.held.clear()
                    return
                sent = self.target.send(data)
            except BlockingIOError:
                return
            except OSError:
                self.held.clear()
                return
            if sent < len(data):
                self.held[0] = (self.held[0][0], data[sent:])
                return
            self.held.popleft()


def main():
    port, delay = int(sys.argv[1]), int(sys.argv[2]) / 2000
    listener = socket.create_server(("127.0.0.1", 0))
    with open(sys.argv[3] + ".new", "w", encoding="ascii") as file:
        file.write(f"{listener.getsockname()[1]}\n")
    os.rename(sys.argv[3] + ".new", sys.argv[3])
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    ways = []
    end = time.monotonic() + 600
    while time.monotonic() < end:
        due = [way.held[0][0] for way in ways if way.held]
        wait = max(0, min(due) - time.monotonic()) if due else 1
        for key, _ in selector.select(max(wait, 0.0005) if due else wait):
            if key.fileobj is listener:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", port))
                for sock, other in ((client, server), (server, client)):
                    sock.setblocking(False)
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    way = Way(sock, other)
                    ways.append(way)
                    selector.register(sock, selectors.EVENT_READ, way)
            elif not key.data.take(delay):
                selector.unregister(key.fileobj)
        now = time.monotonic()
        for way in ways:
            way.give(now)


main()
