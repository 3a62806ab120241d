#!/bin/bash
# Runs one test for tests/run.sh: within TEST_TIMEOUT seconds (300), and so that a test which breaks off fails alone. GLib
# says "Bail out!" after a failed assertion, at which prove would leave all that is still to come.
timeout -k 10 "${TEST_TIMEOUT:-300}" "$@" > >(sed -u 's/^Bail out!/not ok - broke off:/') &
# timeout has a process group of its own, which no ^C reaches, and hands on what it gets itself.
trap 'kill -TERM $!' INT TERM HUP
wait $!
status=$?
# After one of these, wait says so at once: the test is still cleaning up.
while kill -0 $! 2>/dev/null; do wait $!; done
exit $status
