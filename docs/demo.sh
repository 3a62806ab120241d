#!/bin/bash
# The sample mailbox from mail to answer, in a database of its own: make demo, or docs/demo.sh [DIRECTORY]
#
# Everything it makes is in DIRECTORY, build/demo, and goes with it; a real installation is neither read nor written. Its
# private cluster is stopped at the end, and starts again by itself when a command needs it.
set -eu
cd "$(dirname "$0")/.."

unset "${!WHOSENDS_@}" "${!PG@}"
directory=${1-build/demo}
config=$directory/whosends.conf

# As root, the database server runs as another user, who may not be able to reach a checkout below /root, say.
reachable()
{
    [ "$(id -u)" != 0 ] && return
    local user=postgres
    id "$user" >/dev/null 2>&1 || user=nobody
    (cd / && setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups test -x "$1")
}

prepare()
{
    local data
    mkdir -p "$directory"
    if [ ! -w "$directory" ]; then
        echo "$directory belongs to somebody else: remove it first" >&2
        exit 1
    fi
    data=$(sed -n 's/^data_directory = //p' "$config" 2>/dev/null) || data=
    if [ -z "$data" ] || [ ! -d "$data" ]; then
        data=$(realpath "$directory")
        if ! reachable "$data"; then
            data=$(mktemp -d "${TMPDIR:-/tmp}/whosends-demo-XXXXXX")
            chmod 711 "$data"
            echo "the database server cannot reach $directory: its data are in $data"
        fi
        data=$data/data
    fi
    printf '[whosends]\ndata_directory = %s\n' "$data" >"$config"
}

show()
{
    printf '\n$ build/whosends --config %s %s\n' "$config" "$*"
    build/whosends --config "$config" "$@"
}

prepare
trap 'build/whosends --config "$config" stop >/dev/null' EXIT
show ingest docs/demo/mailbox || test $? = 65
show senders
show summary
show html -o "$directory/pages" --since 2026-09-01

next()
{
    printf '  %-71s  %s\n' "$1" "$2"
}

printf '\nWhere to go next (the database starts by itself):\n'
next "build/whosends --config $config senders example.com" "one domain"
next "build/whosends --config $config sources example.com" "every address that sends as it"
next "build/whosends --config $config failures --format csv" "why mail does not authenticate"
next "build/whosends --config $config problems" "the mail that could not be read"
next "build/whosends --config $config sql" "psql on the same data"
next "build/whosends --config $config stop" "stop the demo's database"
next "build/whosends help ingest" "your own mailbox; then see README.md"
