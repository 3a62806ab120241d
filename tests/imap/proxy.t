#!/bin/bash
# Through a proxy: SOCKS5 and HTTP CONNECT, with and without a login. The server is verified through it, the token URL takes
# the same way, and the variables of the environment do not count.
. tests/lib/cli_mailbox.sh
cleanup() {
    dovecot_stop
    kill "${pids[@]}"
    pg_stop
}
pids=()
proxy=$dir/proxy tokens=$dir/tokens
mkdir "$proxy" "$tokens"
dovecot_start "$dir/imap" || exit 1
cp -r "$dir/imap/tls" "$tokens/tls"
python3 tests/lib/proxy.py "$proxy" &
pids+=($!)
python3 tests/lib/token_server.py "$tokens" &
pids+=($!)
for _ in $(seq 100); do
    test -s "$proxy/ports" && test -s "$tokens/ports" && break
    sleep 0.05
done
read -r SOCKS_PORT HTTP_PORT <"$proxy/ports" || exit 1
read -r TOKEN_PORT _ <"$tokens/ports" || exit 1
pg_start "$dir/pg" && pg_newdb proxy || exit 1

conf=$dir/whosends.conf
(umask 077 && printf '%s\n' '[whosends]' "database = $PG_CONNINFO" '[imap]' "ca_file = $CA_FILE" 'host = localhost' \
    "port = $IMAPS_PORT" 'user = dmarc' 'after = leave' 'timeout = 5' >"$conf" &&
    echo 'pass word' >"$dir/pass" && echo wrongword >"$dir/wrong")
# through PROXY OPTION...: ingest by that way, the log being what the proxy saw of it
through() {
    local way=$1
    shift
    : >"$proxy/log"
    run --config "$conf" --set imap.password_command='echo secret' --set "imap.proxy=$way" "$@" ingest
}

through ''
check "no proxy" 0 '^0 mails: ' ''
is "sees nothing" "$(cat "$proxy/log")" ""
through "socks5h://127.0.0.1:$SOCKS_PORT"
check "SOCKS5, the proxy looks up the name" 0 '^0 mails: ' ''
is "which it is given" "$(cat "$proxy/log")" "socks5h - localhost:$IMAPS_PORT"
through "socks5://127.0.0.1:$SOCKS_PORT" --set imap.security=starttls --set "imap.port=$IMAP_PORT"
check "SOCKS5, we look it up, and STARTTLS" 0 '^0 mails: ' ''
is "and give the address" "$(grep -cE "^socks5 - (127.0.0.1|::1):$IMAP_PORT\$" "$proxy/log")" 1
through "http://localhost:$HTTP_PORT"
check "HTTP" 0 '^0 mails: ' ''
is "CONNECT" "$(cat "$proxy/log")" "http - localhost:$IMAPS_PORT"
http_proxy=http://127.0.0.1:1 https_proxy=http://127.0.0.1:1 ALL_PROXY=http://127.0.0.1:1 no_proxy='*' NO_PROXY='*' \
    through "http://127.0.0.1:$HTTP_PORT"
check "variables of the environment" 0 '^0 mails: ' ''
is "do not take it away" "$(cat "$proxy/log")" "http - localhost:$IMAPS_PORT"
https_proxy=http://127.0.0.1:$HTTP_PORT ALL_PROXY=http://127.0.0.1:$HTTP_PORT all_proxy=http://127.0.0.1:$HTTP_PORT through ''
check "nor make one" 0 '^0 mails: ' ''
is "that sees anything" "$(cat "$proxy/log")" ""

# A proxy is not trusted.
for way in "socks5h://127.0.0.1:$SOCKS_PORT" "http://127.0.0.1:$HTTP_PORT"; do
    echo 127.0.0.2 >"$proxy/divert"
    through "$way"
    check "another server at the end of ${way%%:*}" 77 '' 'certificate of localhost:[0-9]+ is not trusted'
    rm "$proxy/divert"
    through "$way" --set "imap.ca_file=$OTHER_CA_FILE"
    check "a certificate of somebody else by ${way%%:*}" 77 '' 'certificate of localhost:[0-9]+ is not trusted'
done
echo 'W1 NO forged' >"$proxy/speak"
through "http://127.0.0.1:$HTTP_PORT" --set "imap.ca_file=$OTHER_CA_FILE"
check "words of the proxy" 77 '' 'is not trusted'
is "are not the server's" "$(grep -c forged "$dir/err")" 0
rm "$proxy/speak"

# Its login.
echo 'who@ever:pass word' >"$proxy/login"
for way in socks5h://%s127.0.0.1:$SOCKS_PORT http://%s127.0.0.1:$HTTP_PORT; do
    kind=${way%%:*}
    through "${way/\%s/}"
    check "$kind that wants a login and gets none" 77 '' 'the proxy on the way to localhost:[0-9]+ refused the login'
    through "${way/\%s/who%40ever@}" --set "imap.proxy_password_file=$dir/wrong"
    check "$kind with a wrong one" 77 '' 'the proxy on the way to localhost:[0-9]+ refused the login'
    grep -q wrongword "$dir/err" && not_ok "it is not shown"
    through "${way/\%s/who%40ever@}" --set "imap.proxy_password_file=$dir/pass"
    check "$kind with the right one" 0 '^0 mails: ' ''
    is "$kind knows who it is" "$(cut -d' ' -f2 "$proxy/log")" "who@ever"
done
through "http://me@127.0.0.1:$HTTP_PORT"
check "a user without a password" 78 '' 'imap.proxy names a user, and imap.proxy_password_file is not configured'
rm "$proxy/login"

# The token URL: this mailbox knows no tokens, but one was fetched.
through "socks5h://127.0.0.1:$SOCKS_PORT" --set imap.auth=xoauth2 --set "imap.token_url=https://localhost:$TOKEN_PORT/token" \
    --set imap.client_id=x --set "imap.refresh_token_command=echo refresh1" --set imap.password_command=
check "a token" 77 '' 'refused the login'
is "is fetched by the same way" "$(cat "$proxy/log")" "socks5h - localhost:$TOKEN_PORT
socks5h - localhost:$IMAPS_PORT"
is "from the token server" "$(wc -l <"$tokens/requests")" 1

through "socks5h://127.0.0.1:1"
check "a proxy that is away" 75 '' 'could not connect to localhost:[0-9]+'
for bad in socks4://a:1 https://a:1 socks5h://a a:1 socks5h://:1 http://a:1/x http://a:1?x http://u:secretword@a:1 'http://a b:1'; do
    through "$bad"
    check "no proxy is '$bad'" 78 '' 'cannot use imap.proxy: it is not of the form'
    grep -q secretword "$dir/err" && not_ok "its password is not shown"
done
finish
