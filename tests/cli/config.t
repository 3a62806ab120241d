#!/bin/sh
# The configuration as people meet it: what is wrong is told by name and place, and no secret is ever shown.
. tests/lib/cli.sh

conf=$dir/whosends.conf
write() {
    printf '%b' "$1" >"$conf"
    chmod "${2:-600}" "$conf"
}

run --config "$dir/missing.conf" status
check "a file that is missing" 78 '' "cannot read '.*missing.conf'"
WHOSENDS_CONFIG=$dir/missing.conf run status
check "the same by the environment" 78 '' "cannot read '.*missing.conf'"
write '[imap]\nhots = x\n'
run --config "$conf" status
check "an unknown key" 78 '' "unknown key 'hots' in group \[imap\] of '.*whosends.conf'"
check "and its hint" 78 '' "did you mean 'host'"
run status --config "$conf"
check "the option behind the command" 78 '' "unknown key 'hots'"
run --config "$dir/empty.conf" status --config "$conf"
check "the later one counts" 78 '' "unknown key 'hots'"
WHOSENDS_CONFIG=$conf run ingest x
check "the file by the environment" 78 '' "unknown key 'hots'"
mkdir -p "$XDG_CONFIG_HOME/whosends"
cp "$conf" "$XDG_CONFIG_HOME/whosends/whosends.conf"
WHOSENDS_CONFIG='' run status
check "the user's file" 78 '' "unknown key 'hots' in group \[imap\] of '.*/home/config/whosends/whosends.conf'"
rm -r "$XDG_CONFIG_HOME/whosends"
write '[imap]\npassword secretword\n'
run --config "$conf" status
check "a line that is none" 78 '' "cannot understand line 2 of"
write '[imap]\npassword = secretword\n' 644
run --config "$conf" status
check "a password that others may read" 78 '' 'chmod 600'
write '' 666
run --config "$conf" status
check "a file that others may write to" 78 '' 'others may write'
WHOSENDS_IMAP_PORT=99999 run status
check "a value of the environment" 78 '' "cannot use '99999' for imap.port \(WHOSENDS_IMAP_PORT\)"
run --set imap.port=99999 status
check "a value of an option" 64 '' "cannot use '99999' for imap.port"
WHOSENDS_DATABSE=x run --config "$dir/missing.conf" status
check "a variable mistyped" 78 '' "did you mean 'WHOSENDS_DATABASE'"

# The mailbox and its password. The database is away: it is asked for before the password.
away="host=$dir/nowhere"
write "[whosends]\ndatabase = $away\n[imap]\nhost = a.example\nuser = me\npassword_file = pass\n"
run --config "$conf" ingest
check "the database is away" 75 '' 'could not'
run --config "$conf" senders
check "the same for a report" 75 '' 'could not'
run --config "$conf" ingest imaps://b.example/INBOX
check "the same for a mailbox that is named" 75 '' 'could not'
printf 'Subject: x\n\nx\n' >"$dir/mail"
input=$dir/mail
run --config "$conf" ingest -
check "delivery while the database is away" 75 '' 'could not'
run --database 'nonsense' ingest -
check "delivery with a conninfo that is none" 75 '' '*'
run --config "$dir/missing.conf" ingest -
check "delivery without its configuration" 75 '' 'cannot read'
input=
run --database "$away password=secretword" sql
check "psql is asked" 2 '' 'psql: error'
is "and the password is in no message" "$(grep -c secretword "$dir/err")" 0
run --database "$away sslpassword=secretword" sql
check "the password of a key would be on psql's command line" 78 '' 'password of a key'
grep -q secretword "$dir/err" && not_ok "no secret is shown"

run senders
check "no cluster was made yet" 78 '' 'there is no database yet'
run sql
check "nor for sql" 78 '' 'there is no database yet'
run upgrade
check "nor for upgrade" 78 '' 'there is no database yet'
run stop
check "nothing to stop" 66 '' 'no private cluster'
is "and none was made by asking" "$(ls "$dir/cluster" 2>/dev/null)" ""
finish
