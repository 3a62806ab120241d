# Runs the program and looks at exit status, standard output and standard error together: sourced, not run.
#
#   . tests/lib/cli.sh
#   run senders --fromat csv
#   check "an unknown option" 64 '' "unknown option '--fromat'"
#   finish
#
# The program sees no configuration, no variable and no data of this machine: its home is $dir, which goes at the end.
# WHOSENDS: the program, build/whosends when not set.

dir=$(mktemp -d "${TMPDIR:-/tmp}/whosends-cli-XXXXXX") || exit 1
trap 'cleanup; rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM
cleanup() { :; }

program=${WHOSENDS:-build/whosends}
for name in $(env | sed -n 's/^\(WHOSENDS[A-Z_]*\|PG[A-Z]*\|CREDENTIALS_DIRECTORY\|COLUMNS\)=.*/\1/p'); do
    unset "$name"
done
mkdir "$dir/home"
: >"$dir/empty.conf"
export HOME="$dir/home" XDG_CONFIG_HOME="$dir/home/config" XDG_DATA_HOME="$dir/home/data"
export WHOSENDS_CONFIG="$dir/empty.conf" WHOSENDS_DATA_DIRECTORY="$dir/cluster" LC_ALL=C.UTF-8

tests=0 failed=0

# run ARGUMENT...: leaves $status, $dir/out and $dir/err. Standard input is empty unless `input` names a file.
run() {
    status=0
    "$program" "$@" <"${input:-/dev/null}" >"$dir/out" 2>"$dir/err" || status=$?
}

ok() {
    tests=$((tests + 1))
    echo "ok $tests - $1"
}

not_ok() {
    tests=$((tests + 1)) failed=$((failed + 1))
    echo "not ok $tests - $1"
    shift
    for line; do echo "# $line"; done
}

# matches FILE PATTERN: '' is an empty file, '*' is anything, all else an extended regular expression.
matches() {
    case $2 in
    '') test ! -s "$1" ;;
    '*') true ;;
    *) grep -Eq -e "$2" "$1" ;;
    esac
}

# check NAME STATUS STDOUT STDERR: of the last run.
check() {
    if test "$status" = "$2" && matches "$dir/out" "$3" && matches "$dir/err" "$4"; then
        ok "$1"
    else
        not_ok "$1" "status $status, wanted $2" "wanted output: $3" "wanted messages: $4"
        sed 's/^/# out: /' "$dir/out" | head -n 20
        sed 's/^/# err: /' "$dir/err" | head -n 20
    fi
}

# is NAME FOUND WANTED
is() {
    if test "$2" = "$3"; then ok "$1"; else not_ok "$1" "found:  $2" "wanted: $3"; fi
}

finish() {
    echo "1..$tests"
    test "$failed" = 0
    exit
}
