#!/bin/sh
# The manual pages name every command, option and key that the program has, with its default, and no other.
. tests/lib/cli.sh

program_page=docs/whosends.1.scd config_page=docs/whosends.conf.5.scd
run help --table
cp "$dir/out" "$dir/table"

for command in $(sed -n '/^[a-z]*$/p' "$dir/table"); do
    is "whosends.1 has $command" "$(grep -c "^\*$command\*\( _[A-Z]*_\| \[.*\| \*-[a-z]\*\)*\$" $program_page)" 1
done
for option in $(sed -n 's/^[a-z]* --//p' "$dir/table" | sort -u); do
    if grep -q "^\(\*-[a-z]\*, \|\*--[a-z]*\* _[A-Z]*_, \)*\*--$option\*" $program_page; then
        ok "whosends.1 has --$option"
    else
        not_ok "whosends.1 has --$option"
    fi
done
sed -n 's/^[a-z]* --//p' "$dir/table" | sort -u >"$dir/options"
strangers=$(grep -o '[*" ]--[a-z][a-z-]*' $program_page | sed 's/^.--//' | sort -u | grep -vxFf "$dir/options" | tr '\n' ' ')
is "whosends.1 has no other option" "$strangers" ""

sed -n 's/^[a-z]*\.\([a-z_]*\) = *\(.*\)/\1 \2/p' "$dir/table" >"$dir/keys"
while read -r key value; do
    text=$(sed -n "/^\*$key\*\$/,/^\$/p" $config_page)
    case $value in
    '') is "whosends.conf.5 has $key" "$(echo "$text" | sed -n 1p)" "*$key*" ;;
    0) is "whosends.conf.5 has $key" "$(echo "$text" | sed -n 1p)" "*$key*" ;;
    *) is "whosends.conf.5 has $key and its default" "$(echo "$text" | grep -o "Default: _[^_]*_")" "Default: _${value}_" ;;
    esac
done <"$dir/keys"
cut -d' ' -f1 "$dir/keys" >"$dir/names"
strangers=$(sed -n 's/^\*\([a-z_]*\)\*$/\1/p' $config_page | grep -vxFf "$dir/names" | tr '\n' ' ')
is "whosends.conf.5 has no other key" "$strangers" ""

# In an example, two backslashes become one, and a single one is lost.
for page in "$(dirname $program_page)"/*.scd; do
    is "$page: no backslash of an example is lost" \
        "$(sed -n '/^```/,/^```/{s/\\\\//g;/\\/p}' "$page")" ""
done

if command -v scdoc >/dev/null; then
    for page in "$(dirname $program_page)"/*.scd; do
        scdoc <"$page" >"$dir/out" 2>"$dir/err"
        status=$?
        check "$page is well formed" 0 '^\.TH' ''
    done
fi
finish
