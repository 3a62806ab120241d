#!/usr/bin/python3
"""A service manager's ear: notify_listener.py SOCKET FILE. Each datagram becomes a line "SECONDS WORD;WORD" of FILE."""
import os
import socket
import sys
import time

path, log = sys.argv[1:]
ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ear.bind("\0" + path[1:] if path[0] == "@" else path)
with open(log, "a", encoding="utf-8", buffering=1) as out:
    while True:
        said = ear.recv(65536).decode("utf-8", "replace")
        out.write(f"{time.monotonic():.2f} {said.replace(chr(10), ';')}\n")
