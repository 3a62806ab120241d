#!/bin/bash
# The private database: made, started, found again, stopped; twice at once; too deep; broken.
set -u
tool=$PWD/build/tests/db_tool
top=$(mktemp -d) && chmod 755 "$top"
unset XDG_RUNTIME_DIR PGHOST PGPORT PGUSER PGDATABASE
clean() {
    for d in "$top"/*/ "$deep" "$top/it's a \"place\", \\here"; do "$tool" stop "$d" 2>/dev/null; done
    rm -rf "$top"
}
deep=$top/$(printf 'deep%.0s' {1..20})/$(printf 'deeper%.0s' {1..20})
trap clean EXIT
echo 1..20
n=0
is() {
    n=$((n + 1))
    if test "$2" = "$3"; then echo "ok $n - $1"; else printf 'not ok %s - %s\n# got:    %s\n# wanted: %s\n' $n "$1" "$2" "$3"; fi
}
like() {
    n=$((n + 1))
    if [[ $2 == $3 ]]; then echo "ok $n - $1"; else printf 'not ok %s - %s\n# got:     %s\n# pattern: %s\n' $n "$1" "$2" "$3"; fi
}
ask() { psql -X -At "$1" -c "$2" 2>&1; }

one=$("$tool" ensure "$top/a" 2>&1)
like "is made and started" "$one" "host='$top/a/postgresql/run'*dbname=whosends"
is "takes connections" "$(ask "$one" 'SELECT current_database() || current_user')" "whosendswhosends"
is "listens to no network" "$(ask "$one" "SELECT current_setting('listen_addresses') || current_setting('fsync')")" "on"
is "holds any text" "$(ask "$one" 'SHOW server_encoding')" "UTF8"
is "is found again" "$("$tool" ensure "$top/a" 2>&1)" "$one"
is "its files are nobody else's" "$(stat -c %a "$top/a/postgresql" "$top/a/postgresql/run" "$top/a/postgresql/data" | sort -u)" "700"
if test "$(id -u)" = 0; then
    is "does not run as root" "$(ps -o user= -p "$(head -n 1 "$top/a/postgresql/data/postmaster.pid")" | grep -c root)" "0"
    is "nobody else gets in" "$(cd / && setpriv --reuid=65533 --regid=65533 --clear-groups psql -X -At "$one" -c 'SELECT 1' 2>&1 | grep -c 'ermission denied')" "1"
else
    is "runs as oneself" "$(ps -o user= -p "$(head -n 1 "$top/a/postgresql/data/postmaster.pid")")" "$(id -un)"
    n=$((n + 1)) && echo "ok $n # SKIP only root can try to be somebody else"
fi
"$tool" run "$one" 'CREATE TABLE public.kept (x int)'
is "stops" "$("$tool" stop "$top/a" 2>&1; ls "$top/a/postgresql/data/postmaster.pid" 2>/dev/null)" ""
is "stops again" "$("$tool" stop "$top/a" 2>&1)" ""
is "stops where there never was one" "$("$tool" stop "$top/never" 2>&1; ls -d "$top/never" 2>/dev/null)" ""
one=$("$tool" ensure "$top/a" 2>&1)
is "keeps its data" "$(ask "$one" 'SELECT count(*) FROM public.kept')" "0"

# A number in a stale postmaster.pid that is some other process by now.
kill -9 "$(head -n 1 "$top/a/postgresql/data/postmaster.pid")"
for _ in $(seq 100); do ask "$one" 'SELECT 1' | grep -q '^1' || break; sleep 0.05; done
sed -i "1s/.*/$$/" "$top/a/postgresql/data/postmaster.pid"
is "a stale process number does not stop the wrong one" "$("$tool" stop "$top/a" 2>&1)" ""
one=$("$tool" ensure "$top/a" 2>&1)
is "starts after a crash" "$(ask "$one" 'SELECT count(*) FROM public.kept')" "0"
"$tool" stop "$top/a"

for i in 1 2 3; do "$tool" ensure "$top/b" >"$top/out.$i" 2>&1 & done
wait
is "three at once make one" "$(sort -u "$top"/out.[123] | grep -c "^host='$top/b/postgresql/run'")$(sort -u "$top"/out.[123] | wc -l)" "11"
"$tool" stop "$top/b"

one=$("$tool" ensure "$deep" 2>&1)
is "a path too deep for a socket" "$(ask "$one" 'SELECT 1')" "1"
is "is found again, too" "$("$tool" ensure "$deep" 2>&1)" "$one"
"$tool" stop "$deep"
one=$("$tool" ensure "$top/it's a \"place\", \\here" 2>&1)
is "a name with all that needs quoting" "$(ask "$one" 'SELECT 1')" "1"

echo 9 >"$top/b/postgresql/data/PG_VERSION"
like "data of a version that is not installed" "$("$tool" ensure "$top/b" 2>&1)" 'config: *PostgreSQL 9, and that is not installed*pg_dump*'
if test "$(id -u)" = 0; then
    mkdir -m 700 "$top/closed"
    like "a place that the server's user cannot enter" "$("$tool" ensure "$top/closed/c" 2>&1)" 'config: *cannot enter that directory*chmod o+x*'
else
    n=$((n + 1)) && echo "ok $n # SKIP only root runs it as somebody else"
fi
