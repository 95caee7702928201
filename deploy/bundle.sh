#!/usr/bin/env bash
# Packs everything that an installation needs into one archive, for a host without internet access.
set -euo pipefail

usage() {
    cat <<'HELP'
usage: deploy/bundle.sh [--dry-run] [--with=PACKAGE]... [FOLDER]

Run it on a host with internet access, of the same release and architecture as the target; root is not needed once
python3-venv is there. Writes mcr-srt-streamer-VERSION-RELEASE-ARCHITECTURE.tar.gz and its .sha256 into FOLDER
(default: here). In the archive: the program as of the last commit, its Python packages, and on Debian and Ubuntu every
system package with all dependencies, whatever is installed on this host. On the target, as root:

  tar xzf mcr-srt-streamer-*.tar.gz && cd mcr-srt-streamer-*/ && ./install-offline.sh

  --with=PACKAGE  also pack this package, with its dependencies; NGINX, openssl, htpasswd and logrotate are always
                  packed
  --dry-run       print what would be packed
HELP
}

dry_run=no extra=() folder=.
while [ $# -gt 0 ]; do
    case $1 in
        --with=?*) extra+=("${1#--with=}") ;;
        --dry-run) dry_run=yes ;;
        --help | -h)
            usage
            exit
            ;;
        -*)
            usage >&2
            exit 2
            ;;
        *) folder=$1 ;;
    esac
    shift
done
folder=$(cd "$folder" && pwd -P)
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/setup.sh
. scripts/setup.sh

[ -e .git ] || die "this packs what git has committed: run it in a clone"
family=$(package_family)
release=$(. /etc/os-release && echo "$ID-${VERSION_ID:-}")
version=$(git -c safe.directory='*' describe --always --tags)
name=mcr-srt-streamer-$version-$release-$(uname -m)
[ -z "$(git -c safe.directory='*' status --porcelain --untracked-files=no)" ] ||
    say "changes that are not committed are not packed"

PYTHON=/usr/bin/python3
if [ "$family" = debian ] && [ "$dry_run" = no ]; then ensure_packages python3 python3-venv; fi
is_recent_python "$PYTHON" || PYTHON=/usr/bin/python3.11
old_python=()
if [ "$PYTHON" != /usr/bin/python3 ]; then
    if [ "$family" = debian ]; then
        old_python=("${DEBIAN_OLD_PYTHON[@]}")
    else
        old_python=("${RPM_OLD_PYTHON[@]}")
    fi
fi

# What the target gets from the archive. systemd's own packages are tied to each other by exact versions: where the
# target is some updates behind, all of them have to be at hand.
if [ "$family" = debian ]; then
    packages=("${DEBIAN_RUN[@]}" nginx apache2-utils openssl logrotate systemd-sysv udev libpam-systemd)
else
    packages=("${RPM_RUN[@]}" nginx httpd-tools openssl logrotate)
fi
packages+=("${old_python[@]}" "${extra[@]}")
if [ "$dry_run" = yes ]; then
    echo "would write $folder/$name.tar.gz with"
    echo "  the program, $(git -c safe.directory='*' ls-files | wc -l) files of commit $version"
    echo "  the Python packages of requirements.txt and what they need"
    [ "$family" = debian ] || echo "  without system packages: docs/installation.md says how dnf fetches"
    [ "$family" != debian ] || echo "  with all that they need:"
    printf '    %s\n' "${packages[@]}"
    exit
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
top=$work/$name
mkdir -p "$top/program" "$top/wheels" "$top/packages"

pack_program() {
    say "packing the program $version"
    git -c safe.directory='*' archive HEAD | tar --extract --directory="$top/program"
    (cd "$top/program" && find . ! -type d -printf '%P\n' | LC_ALL=C sort) >"$work/files"
    mv "$work/files" "$top/program/.files"
}

pack_wheels() {
    [ "${#old_python[@]}" -eq 0 ] || ensure_packages "${old_python[@]}"
    say "fetching Python packages for $("$PYTHON" --version)"
    "$PYTHON" -m venv "$work/venv"
    local pip=("$work/venv/bin/python" -m pip --quiet --disable-pip-version-check)
    "${pip[@]}" download --no-deps --only-binary=:all: --dest "$top/wheels" --requirement requirements.txt
    # The distribution's own Python has its GStreamer bindings; another one needs them compiled, here rather than there.
    [ "${#old_python[@]}" -eq 0 ] ||
        "${pip[@]}" wheel --no-deps --wheel-dir "$top/wheels" --requirement requirements-gi.txt
}

# Run apt-get as on a host where nothing is installed; it writes nothing outside of $work.
apt_for_nothing() {
    apt-get -qq -o Dir::State="$work/state" -o Dir::State::status="$work/state/status" \
        -o Dir::Cache="$work/cache" -o Dir::Cache::archives="$top/packages" -o APT::Architectures="$architecture" \
        -o APT::Sandbox::User=root -o Debug::NoLocking=1 -o Acquire::Languages=none "$@"
}
pack_debs() {
    local architecture file
    architecture=$(dpkg --print-architecture)
    mkdir -p "$work/state/lists/partial" "$work/cache" "$top/packages/partial"
    touch "$work/state/status"
    say "fetching system packages with all that they need"
    apt_for_nothing update
    apt_for_nothing install --download-only -y --no-install-recommends "${packages[@]}"
    rm -rf "$top/packages/partial" "$top/packages/lock"
    for file in "$top"/packages/*.deb; do
        dpkg-deb --field "$file"
        printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "${file##*/}" "$(stat -c %s "$file")" \
            "$(sha256sum "$file" | cut -d' ' -f1)"
    done >"$work/Packages"
    mv "$work/Packages" "$top/packages/"
}

pack_installer() {
    echo "$release $(uname -m)" >"$top/made-for"
    install -m 0755 deploy/install-offline.sh "$top/"
    (cd "$top" && find . -type f ! -name SHA256SUMS -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) >"$work/SHA256SUMS"
    mv "$work/SHA256SUMS" "$top/"
}

pack_program
pack_wheels
if [ "$family" = debian ]; then pack_debs; fi
pack_installer
tar --create --gzip --owner=0 --group=0 --directory="$work" --file="$folder/$name.tar.gz.new" "$name"
mv "$folder/$name.tar.gz.new" "$folder/$name.tar.gz"
(cd "$folder" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
deb_count=$(find "$top/packages" -name '*.deb' | wc -l)
say "$(find "$top/wheels" -type f | wc -l) Python packages, $deb_count system packages"
if [ "$family" = rpm ]; then
    say "system packages are not in it: docs/installation.md says how dnf fetches them"
fi
say "written: $folder/$name.tar.gz, $(du -h "$folder/$name.tar.gz" | cut -f1)"
