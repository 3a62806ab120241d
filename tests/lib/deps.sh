#!/bin/bash
# What has to be installed to build, run and test: tests/lib/deps.sh [build] [check]
#
# Does nothing, quickly, when all is there. On Debian and its kin it installs what is missing with apt-get, as root or
# through sudo; elsewhere it looks for the commands and libraries themselves, and says which are missing. It starts no
# service, enables none and makes no PostgreSQL cluster: whosends and its tests run servers of their own.
set -u
export LC_ALL=C

build_packages=(gcc make pkg-config libglib2.0-dev libgmime-3.0-dev libjson-glib-dev libarchive-dev libxml2-dev libpq-dev
    libcurl4-openssl-dev libisal-dev libpsl-dev libseccomp-dev libunbound-dev libmaxminddb-dev nettle-dev publicsuffix zlib1g-dev
    postgresql scdoc util-linux ca-certificates)
build_commands=("gcc clang cc" make pkg-config scdoc psql)
build_modules=(glib-2.0 gmime-3.0 json-glib-1.0 libarchive libxml-2.0 libpq libcurl libpsl nettle zlib libisal libseccomp libmaxminddb)
check_packages=(perl python3 openssl dovecot-imapd dovecot-sieve faketime procps postgresql-pgtap chromium npm)
check_commands=(prove python3 openssl setpriv pgrep faketime "chromium chromium-browser google-chrome" npm)

services='postgresql* | dovecot*'
policy=/usr/sbin/policy-rc.d
no_cluster=/etc/postgresql-common/createcluster.d/whosends-no-cluster.conf
mark='made by the installation of the packages that whosends needs'

die()
{
    printf '%s\n' "$@" >&2
    exit 1
}

# Prints what of the packages is not installed. Any development package of libcurl will do, any npm, which others than Debian
# bring with Node.js, and any major version of the server from 15 on; pgTAP has to be the one for the newest server.
missing_packages()
{
    local have version package
    have=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' "${packages[@]}" 'libcurl4-*-dev' 'postgresql-[0-9]*' \
        2>/dev/null) "
    version=$(printf '%s\n' $have | sed -n 's/^installed:postgresql-\([0-9]*\)$/\1/p' | sort -n | tail -n 1)
    [ "${version:-0}" -ge 15 ] || version=
    for package in "${packages[@]}"; do
        case $package in
        libcurl4-openssl-dev) [[ $have == *' installed:libcurl4-'*-dev\ * ]] || echo "$package" ;;
        npm) command -v npm >/dev/null || echo "$package" ;;
        postgresql) [ -n "$version" ] || echo "$package" ;;
        postgresql-pgtap)
            [ -n "$version" ] || { echo "$package"; continue; }
            [[ $have == *" installed:postgresql-$version-pgtap "* ]] || echo "postgresql-$version-pgtap"
            ;;
        *) [[ $have == *" installed:$package "* ]] || echo "$package" ;;
        esac
    done
}

# Prints what cannot be found by looking for the thing itself, whoever installed it.
missing_things()
{
    local names name found module file
    for names in "${commands[@]}"; do
        found=
        for name in $names; do
            command -v "$name" >/dev/null && found=1
        done
        [ -n "$found" ] || echo "the command ${names// / or }"
    done
    for module in "${build_modules[@]}"; do
        pkg-config --exists "$module" 2>/dev/null || echo "the library $module (for pkg-config)"
    done
    printf '#include <unbound.h>\n' | cc -E - >/dev/null 2>&1 || echo 'the library libunbound (unbound.h)'
    command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null ||
        echo 'the PostgreSQL server (initdb)'
    [ -n "$check" ] || return 0
    command -v dovecot >/dev/null || [ -x /usr/sbin/dovecot ] || echo 'Dovecot'
    for file in /usr/share/postgresql/*/extension/pgtap.control \
        "$(pg_config --sharedir 2>/dev/null)/extension/pgtap.control"; do
        [ -e "$file" ] && return
    done
    echo 'pgTAP'
}

# The packages' names as apt knows them, in the array `wanted`.
resolve()
{
    local package version
    wanted=()
    for package; do
        if [ "$package" = postgresql-pgtap ]; then
            version=$(apt-cache depends postgresql | sed -n 's/^ *Depends: postgresql-\([0-9]*\)$/\1/p')
            package=postgresql-$version-pgtap
        fi
        apt-cache show --no-all-versions "$package" >/dev/null 2>&1 || return 1
        wanted+=("$package")
    done
}

# Below here: as root.

undo=()
undo_all()
{
    local i
    for ((i = ${#undo[@]} - 1; i >= 0; i--)); do
        eval "${undo[i]}"
    done
    undo=()
}

# Until undo_all, a new server package makes no cluster, and nothing of ours is started.
hold_services()
{
    local directory
    trap undo_all EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    for directory in /etc/postgresql-common /etc/postgresql-common/createcluster.d; do
        [ -d "$directory" ] && continue
        mkdir "$directory" || die "could not make $directory"
        undo+=("rmdir --ignore-fail-on-non-empty $directory")
    done
    undo+=("rm -f $no_cluster")
    printf '# %s\ncreate_main_cluster = false\n' "$mark" >"$no_cluster" || die "could not write $no_cluster"
    if [ ! -e "$policy" ] || grep -qF "$mark" "$policy"; then
        undo+=("rm -f $policy")
        printf '#!/bin/sh\n# %s\ncase $1 in\n%s) exit 101 ;;\nesac\nexit 0\n' "$mark" "$services" >"$policy" &&
            chmod 755 "$policy" || die "could not write $policy"
    fi
}

apt()
{
    apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null
}

install_packages()
{
    local had_dovecot=
    export DEBIAN_FRONTEND=noninteractive
    printf 'installing: %s\n' "$*"
    dpkg-query -W -f '${db:Status-Status}' dovecot-core 2>/dev/null | grep -qx installed && had_dovecot=1
    hold_services
    if ! resolve "$@"; then
        apt update && resolve "$@" || die 'cannot find these packages with apt-get update and apt-cache show'
    fi
    # Lists that are too old name files that the mirror has no more.
    apt install -y --no-install-recommends "${wanted[@]}" ||
        { apt update && apt install -y --no-install-recommends "${wanted[@]}"; } ||
        die 'could not install what is missing'
    # Only the tests' own Dovecot is wanted, so a new one does not come up with the machine either.
    if [ -z "$had_dovecot" ] && [ -e /etc/init.d/dovecot ]; then
        update-rc.d dovecot disable >/dev/null 2>&1
    fi
    undo_all
}

if [ "${1-}" = --install ]; then
    shift
    install_packages "$@"
    exit 0
fi

check=
packages=("${build_packages[@]}")
commands=("${build_commands[@]}")
for part; do
    case $part in
    build) ;;
    check)
        check=1
        packages+=("${check_packages[@]}")
        commands+=("${check_commands[@]}")
        ;;
    *) die "usage: $0 [build] [check]" ;;
    esac
done

if command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then
    missing=$(missing_packages)
    [ -n "$missing" ] || exit 0
    if [ "$(id -u)" = 0 ]; then
        exec "$0" --install $missing
    elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
        printf 'these packages are missing, and are installed with sudo:\n  %s\n' "${missing//$'\n'/ }"
        exec sudo "$0" --install $missing
    fi
    resolve $missing || wanted=($missing)
    advice="as root:  apt-get install --no-install-recommends ${wanted[*]}"
else
    advice="on Debian these packages have them: ${packages[*]}"
fi
missing=$(missing_things)
[ -z "$missing" ] || die 'cannot find:' "$(sed 's/^/  /' <<<"$missing")" "$advice"
