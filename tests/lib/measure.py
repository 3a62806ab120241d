#!/usr/bin/python3
"""measure.py FILE COMMAND...: runs the command and writes what it cost into FILE: user, system and elapsed seconds, peak KiB."""
import resource
import subprocess
import sys
import time

start = time.monotonic()
status = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as out:
    print(f"{used.ru_utime:.3f} {used.ru_stime:.3f} {time.monotonic() - start:.3f} {used.ru_maxrss}", file=out)
sys.exit(status if status >= 0 else 128 - status)
