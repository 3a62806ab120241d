#!/bin/bash
# What "init --tune" says of a server: as it came, as advised, and as a careless person has it.
. tests/lib/cli_database.sh tune

settings() { sql "SELECT md5(string_agg(name || reset_val, ' ' ORDER BY name)) FROM pg_settings"; }
before=$(settings)
run init --tune
check "a server as it came" 0 '^# For postgresql.conf .*: PostgreSQL [0-9.]+.*, [0-9.]+ GB of memory\.$' ''
check "memory is that of the machine" 0 '^shared_buffers = [0-9]+(MB|GB) +# is 64MB \(counts after a restart\): a quarter of the memory' ''
check "what only an SSD wants" 0 '^random_page_cost = 1.1 +# is 4: on an SSD' ''
check "what may cost mail" 0 '^synchronous_commit = on +# is off: a mail is moved once it is committed' ''
check "of the server, not of this session" 0 '^client_connection_check_interval = 10s +# is 0' ''
check "what is fine" 0 '^# fine: autovacuum = on$' ''
is "each line is a setting or a comment" "$(grep -cEv '^#|^[a-z_]+ = [0-9a-zA-Z.]+ +# ' "$dir/out")" 0
is "nothing is installed, nothing is changed" "$(sql "SELECT count(*) FROM pg_namespace WHERE nspname ~ 'dmarc'") $(settings)" "0 $before"

# It takes its own advice.
grep '^[a-z]' "$dir/out" >"$dir/advice"
pg_halt
sed 's/^shared_buffers = .*/shared_buffers = 96MB/' "$dir/advice" >>"$dir/pg/data/postgresql.conf"
pg_restart || not_ok "the server starts with it" "$(tail -n 5 "$dir/pg/log")"
run init --tune
is "all is fine then" "$(grep '^[a-z]' "$dir/out" | cut -d' ' -f1)" shared_buffers
is "and was looked at" "$(grep -c "^# fine: " "$dir/out")" 18
sql "ALTER SYSTEM SET wal_compression = pglz" && sql "ALTER SYSTEM SET jit = on" && sql 'SELECT pg_reload_conf()' >/dev/null
sleep 0.3
run init --tune
check "another word for on" 0 '^# fine: wal_compression = pglz$' ''
check "what is not" 0 '^jit = off +# is on: queries take milliseconds' ''

unset WHOSENDS_DATABASE
run init --tune
check "without a database" 78 '' 'there is no database yet'
is "none is made" "$(test -e "$WHOSENDS_DATA_DIRECTORY" || echo none)" none
finish
