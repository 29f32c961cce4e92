#!/bin/sh
# Fetch newer WordPress packages, with the Akismet plugins they carry, from other Debian releases, and unpack
# them without installing anything: FOLDER/<release>/usr/share/wordpress. tests/wordpress then runs with each.
# Usage: fetch-editions.sh FOLDER [RELEASE...]     (default: trixie sid)
set -eu

folder=${1:?usage: fetch-editions.sh FOLDER [RELEASE...]}
shift
[ $# -gt 0 ] || set -- trixie sid
# the mirror that this machine uses for Debian itself
mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(LABEL)|$(REPO_URI)' 'Created-By: Packages' | sed -n 's/^Debian|//p' | head -n 1)}
if [ -z "$mirror" ]; then
    echo "apt names no Debian mirror: run apt-get update, or set DEBIAN_MIRROR" >&2
    exit 1
fi
# wordpress links into these packages instead of carrying the files itself
packages="wordpress libphp-phpmailer php-getid3 libjs-underscore libjs-lodash libjs-jquery-ui libjs-cropper"

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
for release in "$@"; do
    if [ -d "$folder/$release/usr/share/wordpress" ]; then
        echo "$release: already there"
        continue
    fi
    work=$(mktemp -d)
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/unpacked"
    # package lists of our own, so that the machine's stay as they are
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $release main" > "$work/sources.list"
    cat > "$work/apt.conf" <<EOF
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
APT::Sandbox::User "root";
Acquire::Languages "none";
EOF
    APT_CONFIG="$work/apt.conf" apt-get update -qq
    # shellcheck disable=SC2086 # a list of words on purpose
    (cd "$work" && APT_CONFIG="$work/apt.conf" apt-get download -qq $packages)
    for package in "$work"/*.deb; do
        dpkg-deb --extract "$package" "$work/unpacked"
    done
    rm -rf "${folder:?}/$release"
    mv "$work/unpacked" "$folder/$release"
    rm -rf "$work"
    echo "$release: $(grep -h "wp_version = " "$folder/$release/usr/share/wordpress/wp-includes/version.php")" \
        "$(grep -h "'AKISMET_VERSION'," "$folder/$release/usr/share/wordpress/wp-content/plugins/akismet/akismet.php")"
done
