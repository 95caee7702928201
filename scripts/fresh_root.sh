# shellcheck shell=bash
# An empty Debian root with this repository cloned into it: sourced by check_fresh_root.sh and check_install.sh.
# environment: DEBIAN_MIRROR, debootstrap's own default without it (the same with -security behind it has to hold the
# security archive); FRESH_ROOT_OVERLAY, a folder that is copied over the root: proxy, pip and certificate settings of
# this network.

step() { printf '\n##### %s\n' "$*"; }

# Run this script again in its own mount and process namespaces: when it ends, by whatever cause, its mounts and
# processes are gone. Then remove the root FOLDER unless KEEP is yes.
in_namespaces() {
    local folder=$1 keep=$2 status=0
    shift 2
    [ "$(id -u)" -eq 0 ] || {
        echo "error: debootstrap and chroot need root" >&2
        exit 1
    }
    export IN_NAMESPACE=1
    unshare --mount --pid --fork --kill-child --mount-proc "$0" "$@" || status=$?
    [ "$keep" = yes ] || rm -rf --one-file-system "$folder" "$folder.log" "$folder.maker" "$folder.maker.log"
    exit $status
}

# make_empty_root SUITE FOLDER: debootstrap unless it is there, and mount what a root needs.
make_empty_root() {
    local suite=$1 folder=$2
    if [ ! -e "$folder/etc/debian_version" ]; then
        step "an empty $suite in $folder"
        # shellcheck disable=SC2086 # no mirror named: debootstrap takes its own
        debootstrap --variant=minbase "$suite" "$folder" ${DEBIAN_MIRROR:-} >"$folder.log"
    fi
    mount -t proc proc "$folder/proc"
    mount --rbind /sys "$folder/sys"
    mount --rbind /dev "$folder/dev"
    mount -t tmpfs tmpfs "$folder/run"
}

# Undo the mounts, before the root is booted.
unmount_root() {
    local folder=$1
    ! mountpoint -q "$folder/mnt/source" || umount "$folder/mnt/source"
    umount "$folder/run"
    umount --recursive "$folder/dev" "$folder/sys"
    umount "$folder/proc"
}

# make_root SUITE FOLDER SOURCE: an empty root with this network's settings, its release's security archive as every
# host has it, git, and SOURCE cloned to /root/streamer.
make_root() {
    local suite=$1 folder=$2 source_folder=$3
    make_empty_root "$suite" "$folder"
    [ -z "${FRESH_ROOT_OVERLAY:-}" ] || cp -a "$FRESH_ROOT_OVERLAY/." "$folder/"
    cp -L /etc/resolv.conf /etc/hosts "$folder/etc/"
    grep -q -- -security "$folder/etc/apt/sources.list" ||
        sed -i -E 's#^deb ([^ ]+[^/ ])/? ([^ ]+) main.*#&\ndeb \1 \2-updates main\ndeb \1-security \2-security main#' \
            "$folder/etc/apt/sources.list"
    mkdir -p "$folder/mnt/source"
    mount --bind -o ro "$source_folder" "$folder/mnt/source"
    step "git, and nothing else"
    inside "$folder" apt-get -qq update
    inside "$folder" apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends git >/dev/null
    inside "$folder" git config --global --replace-all safe.directory '*'
    inside "$folder" rm -rf /root/streamer
    inside "$folder" git clone -q /mnt/source /root/streamer
}

# inside FOLDER COMMAND...: run in the root, with nothing of this environment.
inside() {
    local folder=$1
    shift
    chroot "$folder" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive "$@"
}
