#!/usr/bin/python3
"""Puts the first inputs of each fuzz harness into DIRECTORY/NAME: seeds.py DIRECTORY

They come from what the project has anyway: the mails of the sample mailbox, taken apart by the standard library; generated
reports; the vectors of the unit tests, as they stand in the object files; and the few that lie in tests/fuzz/seeds.
"""
import email
import glob
import gzip
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
LONGEST = 64 * 1024

# harness: the unit tests whose string constants are inputs for it, and what one of these has to hold.
VECTORS = {
    "aggregate": (["aggregate", "deviations", "limits"], b"<"),
    "message": (["message", "mail_scan"], b": "),
    "failure": (["failure", "failure_words"], b": "),
    "tls": (["tls", "json_check"], b"{"),
    "imap": (["imap_parse"], b"* "),
    "config": (["config"], b"="),
    "authres": (["authres"], b";"),
    "text": (["words", "domain", "address", "mutf7", "deviations"], b""),
}


def put(directory, harness, data):
    if len(data) <= LONGEST:
        os.makedirs(os.path.join(directory, harness), exist_ok=True)
        with open(os.path.join(directory, harness, hashlib.sha1(data).hexdigest()), "wb") as file:
            file.write(data)


def unpacked(data):
    """The attachment, and what is packed in it."""
    yield "unpack", data
    if data.startswith(b"\x1f\x8b"):
        try:
            yield "aggregate", gzip.decompress(data)
        except (OSError, EOFError):
            pass
    elif data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield "aggregate", archive.read(name)
    elif data.lstrip().startswith(b"<"):
        yield "aggregate", data


def put_mail(directory, data):
    put(directory, "message", data)
    for part in email.message_from_bytes(data).walk():
        content = part.get_payload(decode=True)
        if content and not content.startswith(b"This is"):
            for harness, inner in unpacked(content):
                put(directory, harness, inner)


def put_generated(directory):
    with tempfile.TemporaryDirectory() as made:
        subprocess.run([os.path.join(TOP, "bench/generate.py"), "--out", made, "--reports", "12", "--truth", os.devnull], check=True)
        for name in sorted(glob.glob(f"{made}/**/*", recursive=True)):
            if os.path.isfile(name):
                with open(name, "rb") as file:
                    put_mail(directory, file.read())


def put_vectors(directory):
    for harness, (tests, needed) in VECTORS.items():
        for test in tests:
            path = os.path.join(TOP, f"build/tests/unit/test_{test}.o")
            if not os.path.exists(path):
                continue
            with tempfile.NamedTemporaryFile() as constants:
                subprocess.run(["objcopy", "-O", "binary", "-j", ".rodata*", path, constants.name], check=True)
                with open(constants.name, "rb") as file:
                    for text in file.read().split(b"\0"):
                        if needed in text and 1 < len(text) < 4000:
                            put(directory, harness, text)


def main():
    directory = sys.argv[1]
    for path in sorted(glob.glob(os.path.join(TOP, "docs/demo/mailbox/*.eml"))):
        with open(path, "rb") as file:
            put_mail(directory, file.read())
    put_generated(directory)
    put_vectors(directory)
    for path in sorted(glob.glob(os.path.join(TOP, "tests/fuzz/seeds/*/*"))):
        harness = os.path.basename(os.path.dirname(path))
        os.makedirs(os.path.join(directory, harness), exist_ok=True)
        shutil.copy(path, os.path.join(directory, harness))


main()
