#!/usr/bin/python3
"""A token server (RFC 6749) that also tells Dovecot which tokens are good (RFC 7662): token_server.py DIR

DIR/tls holds right.pem and right.key. It listens on two free ports of loopback, TLS for /token and plain for /introspect, and
writes both to DIR/ports. What it does is in DIR/scenario, read for each request; what was asked for goes to DIR/requests, a
line each. Tokens are t1, t2 and so on; in scenario once, each is good for one login. Ends by itself after five minutes.
"""
import http.server
import json
import os
import ssl
import sys
import threading
import time
import urllib.parse

DIR = sys.argv[1]
LOCK = threading.Lock()
COUNT = {"access": 0, "refresh": 1}
USED = set()


def read(name, default):
    try:
        with open(f"{DIR}/{name}", encoding="utf-8") as file:
            return file.read().strip()
    except FileNotFoundError:
        return default


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, headers=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in (*headers, ("Content-Type", "application/json"), ("Content-Length", str(len(data)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        self.answer(404, {})

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        fields = dict(urllib.parse.parse_qsl(self.rfile.read(length).decode()))
        if self.path == "/introspect":
            return self.introspect(fields["token"])
        with LOCK, open(f"{DIR}/requests", "a", encoding="utf-8") as log:
            log.write(" ".join(f"{name}={value}" for name, value in sorted(fields.items())) + "\n")
        return self.token(fields, read("scenario", "good"))

    def introspect(self, token):
        good = token.startswith("t") and not (read("scenario", "") == "once" and token in USED)
        USED.add(token)
        self.answer(200, {"active": good, "user": "dmarc"} if good else {"active": False})

    def token(self, fields, scenario):
        if scenario == "redirect":
            return self.answer(302, b"", [("Location", "https://localhost:1/token")])
        if scenario == "huge":
            return self.answer(200, {"access_token": "t1", "filler": "x" * 100000})
        if scenario == "endless":
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b" " * 4096)
            except OSError:
                return None
        if scenario == "slow":
            time.sleep(20)
        if scenario == "html":
            return self.answer(200, b"<html>\x1b[31msign in</html>")
        if scenario == "deep":
            return self.answer(200, b'{"access_token":' + b"[" * 5000)
        if scenario == "lines":
            return self.answer(200, {"access_token": "t1\r\nA1 LOGOUT", "token_type": "Bearer"})
        if scenario == "mac":
            return self.answer(200, {"access_token": "t1", "token_type": "mac"})
        if scenario == "busy":
            return self.answer(503, b"later")
        if scenario == "echo":
            return self.answer(400, {"error": "invalid_client", "error_description": "no " + fields.get("client_secret", "")})
        return self.grant(fields, scenario)

    def grant(self, fields, scenario):
        refresh = f"refresh{COUNT['refresh']}"
        if fields.get("grant_type") == "refresh_token" and fields.get("refresh_token") != refresh:
            return self.answer(400, {"error": "invalid_grant", "error_description": "spent\x1b[31m"})
        if fields.get("grant_type") == "client_credentials" and fields.get("client_secret") != "client+secret&x":
            return self.answer(401, {"error": "invalid_client", "error_description": "AADSTS7000215: no such secret"})
        with LOCK:
            COUNT["access"] += 1
            body = {"access_token": f"t{COUNT['access']}", "token_type": "bearer",
                    "expires_in": 0 if scenario == "short" else 3600}
            if scenario == "rotate":
                COUNT["refresh"] += 1
                body["refresh_token"] = f"refresh{COUNT['refresh']}"
        return self.answer(200, body)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(f"{DIR}/tls/right.pem", f"{DIR}/tls/right.key")
tls, plain = Server(("127.0.0.1", 0), Handler), Server(("127.0.0.1", 0), Handler)
tls.socket = context.wrap_socket(tls.socket, server_side=True, do_handshake_on_connect=False)
for server in (tls, plain):
    threading.Thread(target=server.serve_forever, daemon=True).start()
with open(f"{DIR}/ports.new", "w", encoding="utf-8") as ports:
    ports.write(f"{tls.server_address[1]} {plain.server_address[1]}\n")
os.rename(f"{DIR}/ports.new", f"{DIR}/ports")
time.sleep(300)
