#!/bin/bash
# Runs one test for tests/run.sh: within TEST_TIMEOUT seconds (300), and so that a test which breaks off fails alone. GLib
# says "Bail out!" after a failed assertion, at which prove would leave all that is still to come.
set -o pipefail
timeout --foreground -k 10 "${TEST_TIMEOUT:-300}" "$@" | sed -u 's/^Bail out!/not ok - broke off:/'
