#!/bin/bash
# Workers that read strangers' mails: what they may not do kills them or is refused, as root and as somebody else, and what
# they read is what a process without chains reads.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib/whole.sh

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/tmp" "$dir/mails"
chmod 755 "$dir"
chmod 1777 "$dir/tmp"
export TMPDIR=$dir/tmp CONFINED_HURRY=1 SECRET=a-password
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
    (cd / && "$@" "$dir/confined" try $(cut -d '|' -f 1 <<<"$tries") self) >"$dir/got" 2>"$dir/err"
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
    (cd / && "$dir/confined" here "$dir"/mails/*) >"$dir/here" 2>"$dir/err" && [ -s "$dir/here" ]
    ok $? "the mails are read without confinement" "$dir/err"
    (cd / && "$@" "$dir/confined" mails "$dir"/mails/*) >"$dir/there" 2>"$dir/err"
    ok $? "$who: the mails are read in a worker" "$dir/err"
    grep -v '^ scratch ' "$dir/there" | diff "$dir/here" - >"$dir/diff"
    ok $? "$who: and hold the same" "$dir/diff"
}

cp -r docs/demo/mailbox "$dir/mails/demo"
chmod -R a+rX "$dir/mails"

if [ "$(id -u)" = 0 ]; then
    nobody=$(id -u nobody)
    try_as root env
    [ "$self" = "uid $nobody gid $(getent passwd nobody | cut -d : -f 4) environment empty" ]
    ok $? "root: the worker is nobody, without an environment" "$self"
    read_as root env
    somebody=(setpriv --reuid=12345 --regid=12345 --clear-groups)
    try_as somebody "${somebody[@]}"
    [ "$self" = "uid 12345 gid 12345 environment empty" ]
    ok $? "somebody: the worker has no environment" "$self"
    read_as somebody "${somebody[@]}"
else
    try_as somebody env
    [ "$self" = "uid $(id -u) gid $(id -g) environment empty" ]
    ok $? "somebody: the worker has no environment" "$self"
    read_as somebody env
fi
[ -z "$(ls -A "$TMPDIR")" ] && [ ! -e /tmp/whosends-confined ]
ok $? "no file stays behind" "$(ls -A "$TMPDIR")"
echo "1..$n"
exit $failed
