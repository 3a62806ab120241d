#!/usr/bin/python3
"""A SOCKS5 and an HTTP proxy: proxy.py DIR

It listens on two free ports of loopback and writes them to DIR/ports, SOCKS5 first. Each request is a line of DIR/log: kind,
user, and where to. DIR/login, when it is there, is the USER:PASSWORD that is wanted. DIR/divert, when it is there, is the
address that all connections go to instead. DIR/speak is what the HTTP proxy says besides. Ends by itself after five minutes.
"""
import base64
import os
import socket
import socketserver
import sys
import threading
import time

DIR = sys.argv[1]


def read(name):
    try:
        with open(f"{DIR}/{name}", encoding="utf-8") as file:
            return file.read().strip()
    except FileNotFoundError:
        return ""


class Proxy(socketserver.StreamRequestHandler):
    rbufsize = 0

    def exactly(self, n):
        data = b""
        while len(data) < n:
            more = self.request.recv(n - len(data))
            if not more:
                raise OSError("gone")
            data += more
        return data

    def target(self, kind, user, host, port):
        with open(f"{DIR}/log", "a", encoding="utf-8") as log:
            log.write(f"{kind} {user} {host}:{port}\n")
        # The servers are on IPv4 only, and libcurl may look up "localhost" as ::1.
        return socket.create_connection((read("divert") or ("127.0.0.1" if host == "::1" else host), port), 5)

    def tunnel(self, other):
        def pump(source, sink):
            try:
                while data := source.recv(65536):
                    sink.sendall(data)
                sink.shutdown(socket.SHUT_WR)
            except OSError:
                pass
        thread = threading.Thread(target=pump, args=(other, self.request), daemon=True)
        thread.start()
        pump(self.request, other)
        thread.join()
        other.close()

    def handle(self):
        try:
            self.serve()
        except OSError:
            pass


class Socks(Proxy):
    def login(self, methods):
        wanted = read("login")
        if not wanted:
            self.request.sendall(b"\x05\x00")
            return "-"
        if 2 not in methods:
            self.request.sendall(b"\x05\xff")
            raise OSError("no login")
        self.request.sendall(b"\x05\x02")
        user = self.exactly(self.exactly(2)[1]).decode()
        given = user + ":" + self.exactly(self.exactly(1)[0]).decode()
        self.request.sendall(b"\x01\x00" if given == wanted else b"\x01\x01")
        if given != wanted:
            raise OSError("refused")
        return user

    def serve(self):
        user = self.login(self.exactly(self.exactly(2)[1]))
        kind = self.exactly(4)[3]
        if kind == 3:
            name, host = "socks5h", self.exactly(self.exactly(1)[0]).decode()
        else:
            family = socket.AF_INET if kind == 1 else socket.AF_INET6
            name, host = "socks5", socket.inet_ntop(family, self.exactly(4 if kind == 1 else 16))
        other = self.target(name, user, host, int.from_bytes(self.exactly(2), "big"))
        self.request.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
        self.tunnel(other)


class Http(Proxy):
    def serve(self):
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.exactly(1)
        lines = head.decode().split("\r\n")
        given = [base64.b64decode(line.split()[2]).decode() for line in lines if line.lower().startswith("proxy-authorization:")]
        if read("login") and given != [read("login")]:
            self.request.sendall(b"HTTP/1.1 407 no\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n")
            return
        host, port = lines[0].split()[1].rsplit(":", 1)
        other = self.target("http", given[0].split(":")[0] if given else "-", host, int(port))
        self.request.sendall(b"HTTP/1.1 200 yes\r\n" + read("speak").encode() + b"\r\n\r\n" if read("speak")
                             else b"HTTP/1.1 200 yes\r\n\r\n")
        self.tunnel(other)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


servers = [Server(("127.0.0.1", 0), kind) for kind in (Socks, Http)]
for server in servers:
    threading.Thread(target=server.serve_forever, daemon=True).start()
with open(f"{DIR}/ports.new", "w", encoding="utf-8") as ports:
    print(*[server.server_address[1] for server in servers], file=ports)
os.rename(f"{DIR}/ports.new", f"{DIR}/ports")
time.sleep(300)
