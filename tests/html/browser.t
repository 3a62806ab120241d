#!/bin/bash
# The pages in headless Chromium: nothing in its console, nothing asked for but the file, hostile text inert, keyboard, print, and
# the rules of axe-core (from npm, test only) on a phone and on a desk, in light and in dark. Pictures of them stay in
# build/html/pictures.
. tests/html/site.sh
run html -o "$dir/site" $period
check "the pages" 0 '^9 domains' ''

npm=build/html/npm
mkdir -p "$npm"
if ! cmp -s tests/html/package-lock.json "$npm/installed"; then
    cp tests/html/package.json tests/html/package-lock.json "$npm/"
    if (cd "$npm" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >"$dir/npm" 2>&1; then
        cp tests/html/package-lock.json "$npm/installed"
    else
        not_ok "axe-core comes from npm" "$(tail -n 5 "$dir/npm")"
    fi
fi
python3 tests/html/browse.py "$dir/site" "$npm/node_modules/axe-core/axe.min.js" build/html/pictures >"$dir/tap" 2>"$dir/err"
is "Chromium was asked to the end" "$? $(tail -n 1 "$dir/err")" "0 "
while read -r line; do
    case $line in
    'ok '*) ok "${line#ok }" ;;
    'not ok '*) not_ok "${line#not ok }" ;;
    *) echo "$line" ;;
    esac
done <"$dir/tap"
finish
