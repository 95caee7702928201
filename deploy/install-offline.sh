#!/usr/bin/env bash
# Installs, upgrades and removes MCR SRT Streamer from the archive of deploy/bundle.sh, with the network off.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
    cat <<'HELP'
usage: ./install-offline.sh [--dry-run] [--prefix FOLDER]
       ./install-offline.sh packages NAME...
       ./install-offline.sh uninstall [--purge] [--dry-run] [--prefix FOLDER]

Run as root in the unpacked archive: checks that the archive is complete and made for this release, then does
what deploy/install.sh --help says, without using a network.

  packages NAME...  install system packages of the archive only, such as nginx openssl logrotate
HELP
}
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

case ${1:-} in --help | -h)
    usage
    exit
    ;;
esac
[ -e SHA256SUMS ] || die "this runs in an unpacked archive of deploy/bundle.sh"
sha256sum --check --quiet SHA256SUMS || die "the archive is damaged: copy it again"
here=$(. /etc/os-release && echo "$ID-${VERSION_ID:-} $(uname -m)")
[ "$here" = "$(cat made-for)" ] || die "this archive was made for $(cat made-for), this host is $here"

if [ "${1:-}" = packages ]; then
    shift
    BUNDLE=$(pwd -P)
    cd program
    # shellcheck source=scripts/setup.sh
    . scripts/setup.sh
    ensure_packages "$@"
    exit
fi
exec program/deploy/install.sh --bundle . "$@"
