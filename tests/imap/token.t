#!/bin/bash
# Logging in with access tokens: a real Dovecot asks a token server whether they are good, and the program gets them there,
# with a command, with client credentials, and with a refresh token that may change.
. tests/lib/cli_mailbox.sh
cleanup() {
    dovecot_stop
    test -z "${server_pid:-}" || kill "$server_pid"
    pg_stop
}
server=$dir/tokens
mkdir -p "$server" && make_certificates "$server/tls" || exit 1
python3 tests/lib/token_server.py "$server" 2>"$dir/server.log" &
server_pid=$!
for _ in $(seq 100); do
    test -s "$server/ports" && break
    sleep 0.05
done
read -r TOKEN_PORT PLAIN_PORT <"$server/ports" || exit 1
mkdir -p "$dir/imap"
cp -r "$server/tls" "$dir/imap/tls"
cat >"$dir/imap/oauth2.conf" <<CONF
introspection_mode = post
introspection_url = http://127.0.0.1:$PLAIN_PORT/introspect
active_attribute = active
active_value = true
username_attribute = user
CONF
DOVECOT_EXTRA="auth_mechanisms = plain xoauth2 oauthbearer
auth_cache_size = 0"
if dovecot_is_new; then
    DOVECOT_EXTRA+="
oauth2 {
$(sed 's/^/  /' "$dir/imap/oauth2.conf")
}
passdb oauth2 {
  mechanisms_filter = xoauth2 oauthbearer
}"
else
    DOVECOT_EXTRA+="
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = $dir/imap/oauth2.conf
}"
fi
CA_FILE=$server/tls/ca.pem OTHER_CA_FILE=$server/tls/other.pem
dovecot_start "$dir/imap" || exit 1
pg_start "$dir/pg" && pg_newdb token || exit 1

conf=$dir/whosends.conf url=https://localhost:$TOKEN_PORT/token
# configure LINE...: a file with the database and these lines of group imap
configure() {
    (umask 077 && {
        printf '[whosends]\ndatabase = %s\n[imap]\nca_file = %s\nhost = localhost\nport = %s\nuser = dmarc\nafter = leave\n' \
            "$PG_CONNINFO" "$CA_FILE" "$IMAPS_PORT"
        printf '%s\n' "$@"
    } >"$conf")
}
scenario() {
    echo "$1" >"$server/scenario"
    : >"$server/requests"
}
ingest() {
    run --config "$conf" "$@" ingest
}
requests() {
    wc -l <"$server/requests"
}
# leaks WORD...: no word is in what was printed
leaks() {
    local word
    for word; do
        grep -qF -e "$word" "$dir/out" "$dir/err" && not_ok "'$word' is not shown"
    done
    return 0
}

scenario good
configure "auth = xoauth2" "token_command = echo t0"
ingest
check "a token command, with XOAUTH2" 0 '^0 mails: ' ''
ingest --set imap.auth=oauthbearer
check "and with OAUTHBEARER" 0 '^0 mails: ' ''
ingest --set imap.token_command='echo wrongtoken'
check "a token that is refused" 77 '' "account 'imap': localhost:[0-9]+ refused the login as 'dmarc': .*; check the user, the scope"
leaks wrongtoken
ingest --set imap.token_command='exit 1'
check "a command that fails" 78 '' 'cannot use imap.token_command'
ingest --set imap.token_command=
check "no token at all" 78 '' 'no token is configured for imap'
ingest --set "imap.token_url=$url"
check "two places for one" 78 '' 'both imap.token_command and imap.token_url'

ingest --set imap.password_command='echo x'
check "a password and a token" 78 '' 'a password is configured for imap, and imap.auth = xoauth2 takes none'
ingest --set imap.auth=password
check "a token that nobody asks for" 78 '' 'hint: set imap.auth to xoauth2 or oauthbearer'

(umask 077 && echo 'client+secret&x' >"$dir/secret" && echo wrongsecret >"$dir/wrong")
configure "auth = oauthbearer" "token_url = $url" "client_id = who&sends" "client_secret_file = $dir/secret" \
    "scope = https://mail.example/.default" "mailbox = INBOX | INBOX | INBOX"
ingest --verbose
check "client credentials" 0 '^0 mails: ' 'debug: reading imap://dmarc@localhost'
is "what was asked for" "$(cat "$server/requests")" \
    "client_id=who&sends client_secret=client+secret&x grant_type=client_credentials scope=https://mail.example/.default"
leaks 'client+secret' 'client%2B'
scenario short
ingest --set imap.mailbox='INBOX | INBOX'
check "tokens that are over at once" 0 '^0 mails: ' ''
is "are fetched for each folder" "$(requests)" 2
scenario once
ingest --set imap.mailbox='INBOX | INBOX'
check "a token that was kept and is refused" 0 '^0 mails: ' ''
is "is fetched anew, once" "$(requests)" 2
configure "auth = xoauth2" "token_url = $url" "client_id = w" "client_secret_file = $dir/wrong"
scenario good
ingest
check "a wrong client secret" 77 '' "token server 'localhost' refused a token for imap: \"invalid_client\": \"AADSTS7000215: no such"
check "with what to do" 77 '' 'hint: check client_id and client_secret'
leaks wrongsecret
ingest --set "imap.client_secret_file=$dir/none"
check "a secret that is missing" 78 '' "cannot read file '.*none' of imap.client_secret"
ingest --set imap.client_secret_file=
check "no secret at all" 78 '' 'no secret is configured for imap.token_url'
ingest --set imap.client_id=
check "no client" 78 '' 'imap.client_id is not configured'
for bad in "http://localhost:$PLAIN_PORT/token" https:///token https://me:secretword@localhost/token ftp://localhost/; do
    ingest --set "imap.token_url=$bad"
    check "a URL that is none for this: $bad" 78 '' 'cannot use imap.token_url: it takes https://HOST/PATH'
    leaks secretword
done

# A refresh token: kept where it came from, and never lost.
(umask 077 && echo refresh1 >"$dir/refresh")
configure "auth = xoauth2" "token_url = $url" "client_id = w" "refresh_token_file = refresh"
ingest
check "a refresh token" 0 '^0 mails: ' ''
is "what was asked for with it" "$(tail -n 1 "$server/requests")" "client_id=w grant_type=refresh_token refresh_token=refresh1"
scenario rotate
chmod 400 "$dir/refresh"
ln -s refresh "$dir/link"
ingest --set "imap.refresh_token_file=$dir/link"
check "one that changes" 0 '^0 mails: ' ''
is "is written down, readable by the same" "$(cat "$dir/refresh") $(stat -c %a "$dir/refresh") $(readlink "$dir/link")" \
    "refresh2 400 refresh"
for n in 1 2 3 4; do
    "$program" --config "$conf" ingest >/dev/null 2>"$dir/err.$n" &
    pids[n]=$!
done
failed_runs=0
for n in 1 2 3 4; do
    wait "${pids[n]}" || failed_runs=$((failed_runs + 1))
done
is "four runs at once spend four of them" "$failed_runs $(cat "$dir/refresh")" "0 refresh6"
is "nothing else is left behind" "$(ls "$dir" | grep -c '^refresh')" 1
configure "auth = xoauth2" "token_url = $url" "client_id = w" "refresh_token_command = cat $dir/refresh"
ingest
check "one that cannot be kept" 0 '^0 mails: ' "warning: token server 'localhost' gave a new refresh token for imap"
leaks refresh6 refresh7
ingest
check "and is spent" 77 '' 'hint: the refresh token is spent'
is "no control character passes" "$(grep -c '\\x1b\[31m' "$dir/err")" 1
grep -q "$(printf '\033')" "$dir/err" && not_ok "but escaped"

# Hostile answers.
configure "auth = xoauth2" "token_url = $url" "client_id = w" "client_secret_file = $dir/secret" "timeout = 2"
hostile() {
    scenario "$1"
    ingest
    check "an answer that is $1" "$2" '' "$3"
    leaks 'client+secret'
}
hostile redirect 77 'sends the request elsewhere \(status 302\), which is not followed'
hostile huge 75 'more than 65536 bytes'
hostile endless 75 'more than 65536 bytes'
hostile slow 75 "could not ask token server 'localhost'"
hostile html 75 "cannot read the answer of token server 'localhost'"
hostile deep 75 'limit json_depth'
hostile lines 75 'there is none in the answer'
hostile mac 75 'there is none in the answer'
hostile busy 75 'answered with status 503'
hostile echo 77 'invalid_client": \(\.\.\.\)'
scenario good
ingest --set "imap.ca_file=$OTHER_CA_FILE"
check "a token server that nobody vouches for" 77 '' "certificate of token server 'localhost' is not trusted"
is "learns nothing" "$(requests)" 0
ingest --set "imap.token_url=https://localhost:1/token"
check "a token server that is away" 75 '' "could not ask token server 'localhost'"
finish
