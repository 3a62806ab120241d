# The pages of tests/html/data.sql in $dir/site, with what tests/lib/cli.sh gives: sourced, not run.
. tests/lib/cli_database.sh html
run init
check "init" 0 '*' '*'
psql -X -q -v ON_ERROR_STOP=1 -f tests/html/data.sql >"$dir/load" 2>&1 || { not_ok "load" "$(tail -n 5 "$dir/load")"; finish; }
period="--since 2020-01-01 --until 2026-10-31"
