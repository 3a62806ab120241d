#!/bin/bash
# Other programs that read DMARC reports, as Debian has them, on the same mails in the same run, into the same PostgreSQL
# where they store anything. CPU seconds of client and server, the ratio to whosends in the same round, and how many of the
# records they have in the end. All mails are of the older format, because Mail::DMARC dies of a namespace. Peers that are not
# installed are named and left out.
#
# usage: bench/peers.sh     SMALL: small mails (1000); BIG: records in one larger report (20000); ROUNDS (3)
set -u
cd "$(dirname "$0")/.." || exit 1
. bench/lib.sh
small=${SMALL:-1000} big=${BIG:-20000}

# Each peer has NAME_ready, which says whether it is there, and NAME_read SET, which reads $dir/SET and prints nothing;
# NAME_kept prints the records that are stored.
peers=(dmarcts mail_dmarc dmarc_cat)
declare -A title=([whosends]=whosends [dmarcts]=dmarcts-report-parser [mail_dmarc]='Mail::DMARC, one process for all'
    [dmarc_cat]='dmarc-cat, stores nothing')
declare -A packages=([dmarcts]='dmarcts-report-parser libdbd-pg-perl libxml-sax-expat-perl' [mail_dmarc]='libmail-dmarc-perl libdbd-pg-perl'
    [dmarc_cat]=dmarc-cat)

whosends_read()
{
    ingest "$1" "$dir/$1/mails"
    right "$1" "$dir/$1/truth"
}

whosends_kept()
{
    psql -X -A -t -d "$1" -c 'SELECT count(*) FROM dmarc.record'
}

dmarcts_ready()
{
    command -v dmarcts-report-parser && perl -MDBD::Pg -e 1
}

# It makes its tables itself and reads its configuration from the working directory.
dmarcts_read()
{
    printf '%s\n' "\$dbtype = 'Pg'; \$dbhost = '$PG_SOCKETS'; \$dbport = 5432; \$dbuser = 'postgres'; \$dbpass = '';" \
        "\$dbname = '$1'; \$imapreadfolder = ''; 1;" >"$dir/dmarcts-report-parser.conf"
    # shellcheck disable=SC2016
    cost bash -c 'cd "$1" && shift && exec dmarcts-report-parser -e "$@"' dmarcts "$dir" "$dir/$1"/mails/*
}

dmarcts_kept()
{
    psql -X -A -t -d "$1" -c 'SELECT count(*) FROM rptrecord'
}

mail_dmarc_ready()
{
    perl -MMail::DMARC::Report::Receive -MDBD::Pg -e 1
}

# One object reads all files, as its --imap does; `dmarc_receive --file` would be a process for each mail.
mail_dmarc_read()
{
    printf '%s\n' '[organization]' 'domain = example.com' 'org_name = example' 'email = dmarc@example.com' '[report_store]' \
        'backend = SQL' "dsn = dbi:Pg:dbname=$1;host=$PG_SOCKETS;port=5432" 'user = postgres' 'pass =' '[dmarc]' 'backend = perl' \
        '[dns]' 'timeout = 5' 'public_suffix_list = /usr/share/publicsuffix/public_suffix_list.dat' >"$dir/mail-dmarc.ini"
    psql -X -q -d "$1" -f "$(perl -MFile::ShareDir=dist_file -e 'print dist_file("Mail-DMARC", "mail_dmarc_schema.pgsql")')" >"$dir/out" 2>&1 ||
        die "$(cat "$dir/out")"
    # shellcheck disable=SC2016
    MAIL_DMARC_CONFIG_FILE=$dir/mail-dmarc.ini cost perl -MMail::DMARC::Report::Receive \
        -e 'my $r = Mail::DMARC::Report::Receive->new; $r->from_file($_) for @ARGV' "$dir/$1"/mails/*
}

mail_dmarc_kept()
{
    psql -X -A -t -d "$1" -c 'SELECT count(*) FROM report_record'
}

dmarc_cat_ready()
{
    command -v dmarc-cat
}

# It takes only the first of several files.
dmarc_cat_read()
{
    # shellcheck disable=SC2016
    cost bash -c 'for file; do dmarc-cat -N "$file" || exit 1; done' dmarc-cat "$dir/$1"/packed/*/*
}

dmarc_cat_kept()
{
    grep -cE '^(  )?[0-9a-f.:]+ +' "$dir/out"
}

present=(whosends)
for peer in "${peers[@]}"; do
    if "${peer}_ready" >"$dir/out" 2>&1; then
        present+=("$peer")
    else
        step "${title[$peer]} is left out; on Debian: apt-get install --no-install-recommends ${packages[$peer]}"
    fi
done

bench/generate.py --out "$dir/small/mails" --old --reports "$small" --truth "$dir/small/truth" || exit 1
bench/generate.py --out "$dir/big/mails" --old --reports 1 --fixed "$big" --truth "$dir/big/truth" || exit 1
for set in small big; do
    bench/unpack.py "$dir/$set/mails" --packed "$dir/$set/packed" || exit 1
done
pg_start "$dir" "${PG_DEFAULTS[@]}" || exit 1
psql -X -q -d template1 -c 'CREATE DATABASE empty' || exit 1
make_template

# one_round SET PEER
one_round()
{
    local template=empty name="$1: ${title[$2]}"
    [ "$2" = whosends ] && template=postgres
    fresh "$1" "$template"
    "$2_read" "$1"
    note "$name" "$both"
    [ "$2" = whosends ] && ours=$both
    note "$name: times whosends" "$(calculate "$both / $ours")"
    note "$name: largest process" "$peak"
    note "$name: records" "$("$2_kept" "$1")"
}

for set in small big; do
    # Mail::DMARC looks for each record among all of its report: minutes for 20,000.
    for ((round = 1; round <= (${#set} == 3 ? 1 : rounds); round++)); do
        for peer in "${present[@]}"; do
            [ "$set $peer" = 'big mail_dmarc' ] && continue
            step "$set, round $round: ${title[$peer]}"
            one_round "$set" "$peer"
        done
    done
    IFS=$'\t' read -r _ mails _ records _ < <(sed -n 2p "$dir/$set/truth")
    heading "$mails mails, $records records, CPU seconds of client and server$([ $set = big ] && echo ', one round, without Mail::DMARC')"
    for peer in "${present[@]}"; do
        show "$set: ${title[$peer]}" s
        [ "$peer" = whosends ] || show "$set: ${title[$peer]}: times whosends" times
        show "$set: ${title[$peer]}: largest process" MiB
        show "$set: ${title[$peer]}: records" ''
    done
done
