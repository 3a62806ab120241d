# A Dovecot server for one test: sourced, not run.
#
#   . tests/lib/dovecot.sh
#   dir=$(mktemp -d) && trap 'dovecot_stop; rm -rf "$dir"' EXIT
#   dovecot_start "$dir" || exit 1
#
# Only loopback, on free high ports: $IMAPS_PORT (TLS) and $IMAP_PORT (STARTTLS); $CA_FILE signs the certificate for
# localhost and 127.0.0.1. At 127.0.0.2 the same ports show a certificate of the same CA for another name. $OTHER_CA_FILE
# signed nothing. User dmarc with password secret. The mails are a Maildir at $MAILDIR. Run as root, the mails belong to
# nobody; as anybody else all is one's own.
#
# Before dovecot_start: DOVECOT_SEPARATOR (/), DOVECOT_PREFIX (""), DOVECOT_CAPABILITY (what the server says it can after
# the login; by default all of it), DOVECOT_EXTRA (more lines of configuration).

dovecot_binary() {
    PATH=$PATH:/usr/sbin:/sbin command -v dovecot
}

dovecot_owner() {
    if test "$(id -u)" != 0; then id -un; else echo nobody; fi
}

# make_certificate DIR NAME SUBJECT_ALT_NAME: DIR/NAME.pem and .key, signed by DIR/ca.pem
make_certificate() {
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" -keyout "$1/$2.key" \
        -out "$1/$2.csr" >/dev/null 2>&1 &&
        printf 'subjectAltName=%s\n' "$3" >"$1/$2.ext" &&
        openssl x509 -req -in "$1/$2.csr" -CA "$1/ca.pem" -CAkey "$1/ca.key" -CAcreateserial -days 2 \
            -extfile "$1/$2.ext" -out "$1/$2.pem" >/dev/null 2>&1
}

# make_ca FILE_WITHOUT_SUFFIX
make_ca() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=test CA $(basename "$1")" -days 2 \
        -keyout "$1.key" -out "$1.pem" >/dev/null 2>&1
}

# make_certificates DIR: two CAs, a right and a wrong certificate
make_certificates() {
    mkdir -p "$1" && make_ca "$1/ca" && make_ca "$1/other" &&
        make_certificate "$1" right DNS:localhost,IP:127.0.0.1 && make_certificate "$1" wrong DNS:imap.example || return 1
    CA_FILE=$1/ca.pem OTHER_CA_FILE=$1/other.pem
}

# Two TCP ports that nobody listens on at the moment.
free_ports() {
    python3 -c '
import socket
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*[s.getsockname()[1] for s in held])'
}

# Whether it is Dovecot 2.4 or later, whose settings have other names.
dovecot_is_new() {
    ! "$(dovecot_binary)" --version | grep -q '^2[.][0-3][.]'
}

# dovecot_mails DRIVER PATH: where the mails are.
dovecot_mails() {
    if dovecot_is_new; then
        printf '%s\n' "mail_driver = $1" "mail_path = $2"
    else
        echo "mail_location = $1:$2"
    fi
}

# The first lines, which 2.4 insists on.
dovecot_version() {
    ! dovecot_is_new || printf '%s\n' 'dovecot_config_version = 2.4.0' 'dovecot_storage_version = 2.4.0'
}

# dovecot_tls NAME: which certificate is shown.
dovecot_tls() {
    if dovecot_is_new; then
        printf '%s\n' "ssl_server_cert_file = $DOVECOT_DIR/tls/$1.pem" "ssl_server_key_file = $DOVECOT_DIR/tls/$1.key"
    else
        printf '%s\n' "ssl_cert = <$DOVECOT_DIR/tls/$1.pem" "ssl_key = <$DOVECOT_DIR/tls/$1.key"
    fi
}

dovecot_users() {
    local uid gid
    uid=$(dovecot_owner)
    gid=$(id -gn "$uid")
    if dovecot_is_new; then
        cat <<CONF
passdb passwd-file {
  passwd_file_path = $DOVECOT_DIR/users
  default_password_scheme = PLAIN
}
userdb static {
  fields {
    uid = $uid
    gid = $gid
    home = $DOVECOT_DIR/home/%{user}
  }
}
CONF
    else
        cat <<CONF
passdb {
  driver = passwd-file
  args = scheme=PLAIN $DOVECOT_DIR/users
}
userdb {
  driver = static
  args = uid=$uid gid=$gid home=$DOVECOT_DIR/home/%u
}
CONF
    fi
}

dovecot_conf() {
    dovecot_version
    cat <<CONF
base_dir = $DOVECOT_DIR/run
state_dir = $DOVECOT_DIR/run
log_path = $DOVECOT_DIR/log
protocols = imap
listen = 127.0.0.1, 127.0.0.2
ssl = required
$(dovecot_tls right)
local 127.0.0.2 {
$(dovecot_tls wrong)
}
$(dovecot_users)
first_valid_uid = 1
first_valid_gid = 0
$(dovecot_mails maildir '~/Maildir')
mail_fsync = never
auth_failure_delay = 0
namespace inbox {
  inbox = yes
  separator = ${DOVECOT_SEPARATOR:-/}
  prefix = ${DOVECOT_PREFIX:-}
}
service imap-login {
  inet_listener imap {
    port = $IMAP_PORT
  }
  inet_listener imaps {
    port = $IMAPS_PORT
    ssl = yes
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  unix_listener stats-writer {
    mode = 0666
  }
}
${DOVECOT_CAPABILITY:+imap_capability = $DOVECOT_CAPABILITY}
${DOVECOT_EXTRA:-}
CONF
    if test "$(id -u)" != 0; then
        cat <<CONF
default_internal_user = $(id -un)
default_internal_group = $(id -gn)
default_login_user = $(id -un)
service imap-login {
  chroot =
}
service anvil {
  chroot =
}
CONF
    fi
}

# dovecot_start DIR
dovecot_start() {
    DOVECOT_DIR=$1 MAILDIR=$1/home/dmarc/Maildir
    if test -z "$(dovecot_binary)"; then
        echo "# dovecot is not installed" >&2
        return 1
    fi
    mkdir -p "$DOVECOT_DIR/run" "$MAILDIR/cur" "$MAILDIR/new" "$MAILDIR/tmp" || return 1
    test -f "$DOVECOT_DIR/tls/right.pem" || make_certificates "$DOVECOT_DIR/tls" || return 1
    echo 'dmarc:secret' >"$DOVECOT_DIR/users"
    read -r IMAP_PORT IMAPS_PORT <<PORTS
$(free_ports)
PORTS
    dovecot_conf >"$DOVECOT_DIR/dovecot.conf"
    chmod go+rx "$DOVECOT_DIR"
    dovecot_own_mails
    # A process group of its own, so that all of it can be ended at once: left to itself it takes a second.
    setsid "$(dovecot_binary)" -F -c "$DOVECOT_DIR/dovecot.conf" >"$DOVECOT_DIR/start.log" 2>&1 &
    dovecot_pid=$!
    # Its process id is written down when it listens.
    for _ in $(seq 100); do
        test -s "$DOVECOT_DIR/run/master.pid" && return
        kill -0 "$dovecot_pid" 2>/dev/null || break
        sleep 0.05
    done
    sed 's/^/# /' "$DOVECOT_DIR/start.log" "$DOVECOT_DIR/log" >&2
    return 1
}

# After files were put into the Maildir by hand.
dovecot_own_mails() {
    test "$(id -u)" != 0 || chown -R "$(dovecot_owner):" "$DOVECOT_DIR/home"
}

dovecot_stop() {
    test -n "${dovecot_pid:-}" || return 0
    kill -s KILL -- "-$dovecot_pid" 2>/dev/null
    wait "$dovecot_pid" 2>/dev/null
    dovecot_pid=
}

# How many mails are in a folder: "" for INBOX, else its directory name (.Processed)
mails_in() {
    find "$MAILDIR/${1:-}/new" "$MAILDIR/${1:-}/cur" -maxdepth 1 -type f 2>/dev/null | wc -l
}
