#!/bin/bash
# Workers that read strangers' mails: what they may not do kills them or is refused, as root and as somebody else, and what
# they read is what a process without chains reads.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib/whole.sh

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/tmp" "$dir/mails" "$dir/deviations"
chmod 755 "$dir"
chmod 1777 "$dir/tmp"
export TMPDIR=$dir/tmp SECRET=a-password
# Somebody else may not be able to read the directory that we are in.
cp build/tests/confined "$dir/confined"

sys='killed by signal 31 (a forbidden system call)'
# what to try | what it gets | how the worker ends, where that says something
tries="open|EACCES|
create|EACCES|
environ|EACCES|
stat|EACCES|
unlink||$sys
chdir||$sys
socket||$sys
connect||$sys
sendto||$sys
sendmsg||$sys
exec||$sys
fork||$sys
clone3||$sys
kill||$sys
tgkill||$sys
ptrace||$sys
prctl||$sys
setrlimit||$sys
setuid||$sys
unshare||$sys
io_uring||$sys
bpf||$sys
exec_map||$sys
exec_protect||$sys
malloc|ENOMEM|
g_malloc||ran out of memory
crash||killed by signal 11 (a crash)
abort||killed by signal 6 (it gave up, which can be for want of memory)
write|allowed|
write_far|EFBIG|
cut_far|EFBIG|
descriptors|EMFILE|
terminal|ENOTTY|
spin||stopped by whosends"

# try_as WHO COMMAND...: the table, tried by somebody.
try_as()
{
    local who=$1 word answer end got_word got_answer got_end
    shift
    (cd "$TMPDIR" && "$@" "$dir/confined" try $(cut -d '|' -f 1 <<<"$tries") self) >"$dir/got" 2>"$dir/err"
    ok $? "$who: the workers were started" "$dir/err"
    while IFS='|' read -r word answer end; do
        IFS='|' read -r got_word got_answer got_end < <(grep "^$word|" "$dir/got")
        [ "$word" = "$got_word" ] && [ "$answer" = "$got_answer" ] && [[ -z $end || $end = "$got_end" ]]
        ok $? "$who: $word: ${answer:-$end}" "'$got_answer', $got_end"
    done <<<"$tries"
    self=$(sed -n 's/^self|\([^|]*\)|.*/\1/p' "$dir/got")
}

# read_as WHO COMMAND...: the same mails, read in a worker and outside of one.
read_as()
{
    local who=$1
    shift
    (cd "$TMPDIR" && "$dir/confined" here "$dir"/mails/*) >"$dir/here" 2>"$dir/err" && [ -s "$dir/here" ]
    ok $? "the mails are read without confinement" "$dir/err"
    (cd "$TMPDIR" && "$@" "$dir/confined" mails "$dir"/mails/*) >"$dir/there" 2>"$dir/err"
    ok $? "$who: the mails are read in a worker" "$dir/err"
    # The mail with more large parts inside of each other than anybody sends is refused.
    for side in here there; do
        grep -v '^ scratch ' "$dir/$side" | sed '/large-too-many/,/^ mail/d' >"$dir/$side.most"
    done
    diff "$dir/here.most" "$dir/there.most" >"$dir/diff"
    ok $? "$who: and hold the same" "$dir/diff"
    grep -A 12 large-too-many "$dir/there" >"$dir/many"
    grep -q 'limit, more than 12 large parts inside of each other$' "$dir/many"
    ok $? "$who: but for large parts inside of each other without end" "$dir/many"
    used=$(sed -n 's/^ scratch //p' "$dir/there" | sort -u | xargs | sed 's/, then/,/g')
    [ "$used" = '1, 0 12, 0 3, 0 9, 0' ]
    ok $? "$who: which take up to nine files, and give them back" "$used"
}

# in_memory WORD PID...: yes or no for each process.
in_memory()
{
    python3 - "$@" <<'END'
import sys
said = []
for pid in sys.argv[2:]:
    found = False
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
        for line in maps:
            words = line.split()
            if words[1].startswith("rw"):
                start, end = (int(x, 16) for x in words[0].split("-"))
                memory.seek(start)
                found |= sys.argv[1].encode() in memory.read(end - start)
    said.append("yes" if found else "no")
print(*said)
END
}

# What others can see of a worker and its nursery, and what these make of signals to them.
look_at()
{
    local who=$1 worker nursery fds line
    shift
    coproc held { cd "$TMPDIR" && exec "$@" "$dir/confined" hold 2>"$dir/err"; }
    read -r worker <&"${held[0]}"
    nursery=$(ps -o ppid= "$worker" | tr -d ' ')
    if [ "$(id -u)" = 0 ]; then
        [ "$(in_memory a-password "$nursery" "$worker")" = 'no no' ] && [ "$(in_memory a-password "$held_PID")" = yes ]
        ok $? "$who: nothing is left of the environment"
        fds=$(readlink "/proc/$nursery"/fd/[013456789] "/proc/$nursery"/fd/??* | sed 's/:.*//' | xargs)
        [ "$fds" = '/dev/null /dev/null socket' ]
        ok $? "$who: the nursery has one socket open" "$fds"
        fds=$(readlink "/proc/$worker"/fd/* | sed 's/:.*//; s/^.*(deleted)$/scratch/' | sort | uniq -c | xargs)
        [ "$fds" = '3 /dev/null 12 scratch 1 socket' ]
        ok $? "$who: a worker has one socket and twelve files open" "$fds"
        grep -E '^(NoNewPrivs|Seccomp|Cap(Prm|Eff|Amb)):' "/proc/$worker/status" | xargs >"$dir/status"
        [ "$(cat "$dir/status")" = 'CapPrm: 0000000000000000 CapEff: 0000000000000000 CapAmb: 0000000000000000 NoNewPrivs: 1 Seccomp: 2' ]
        ok $? "$who: a worker has no capability, and gets none" "$dir/status"
    else
        [ -n "$nursery" ] && ! cat "/proc/$nursery/environ" >"$dir/out" 2>&1
        ok $? "$who: the nursery cannot be looked into" "$dir/out"
    fi
    kill -INT "$nursery" "$worker"
    kill -TERM "$nursery" "$worker"
    kill -HUP "$nursery" "$worker"
    echo write >&"${held[1]}"
    read -r line <&"${held[0]}"
    [ "$line" = 'write|allowed' ]
    ok $? "$who: signals to stop are the parent's" "$line"
    echo spin >&"${held[1]}"
    sleep 0.1
    kill -KILL "$held_PID"
    wait "$held_PID" 2>"$dir/out"
    for _ in {1..50}; do
        [ -d "/proc/$worker" ] || [ -d "/proc/$nursery" ] || break
        sleep 0.05
    done
    [ ! -d "/proc/$worker" ] && [ ! -d "/proc/$nursery" ]
    ok $? "$who: all end with the parent, busy or not"
}

# What the nursery says when the libraries need more than is allowed.
check_as()
{
    local who=$1
    shift
    (cd "$TMPDIR" && "$@" "$dir/confined" check socket) >"$dir/out" 2>&1
    [ $? = 1 ] && printf 'could not start a confined worker: %s\nhint: --no-confine reads mails without this protection\n' \
        "$sys" | diff - "$dir/out" >"$dir/diff"
    ok $? "$who: a worker that is killed in its first check is no worker" "$dir/diff"
    (cd "$TMPDIR" && "$@" "$dir/confined" check open) >"$dir/out" 2>&1
    [ $? = 1 ] && printf 'could not confine a worker: open: EACCES\nhint: --no-confine reads mails without this protection\n' |
        diff - "$dir/out" >"$dir/diff"
    ok $? "$who: and neither is one whose check fails" "$dir/diff"
}

everything_as()
{
    try_as "$@"
    look_at "$@"
    check_as "$@"
    read_as "$@"
}

cp -r docs/demo/mailbox "$dir/mails/demo"
tests/lib/confine_mails.py "$dir/mails/asking"
tests/lib/deviation_mails.py "$dir/deviations" >/dev/null
for case in "$dir"/deviations/*; do
    cp -r "$case" "$dir/mails/$(basename "$case" | cut -d ' ' -f 1)"
done
chmod -R a+rX "$dir/mails"
ulimit -c unlimited 2>/dev/null # so that a core is seen

if [ "$(id -u)" = 0 ]; then
    everything_as root env
    [ "$self" = "uid $(id -u nobody) gid $(id -g nobody) environment TZ=UTC0" ]
    ok $? "root: the worker is nobody, without an environment" "$self"
    everything_as somebody setpriv --reuid=12345 --regid=12345 --clear-groups
    [ "$self" = 'uid 12345 gid 12345 environment TZ=UTC0' ]
    ok $? "somebody: the worker has no environment" "$self"
else
    everything_as somebody env
    [ "$self" = "uid $(id -u) gid $(id -g) environment TZ=UTC0" ]
    ok $? "somebody: the worker has no environment" "$self"
fi
[ -z "$(ls -A "$TMPDIR")" ] && [ ! -e /tmp/whosends-confined ]
ok $? "no file stays behind" "$(ls -A "$TMPDIR")"
echo "1..$n"
exit $failed
