#!/usr/bin/env bash
# Proves the service on an empty machine: deploy/install.sh under a booted systemd, streams, upgrade, crash, uninstall.
set -euo pipefail

usage() {
    cat <<'HELP'
usage: scripts/check_install.sh [--suite NAME] [--offline] [--keep] [FOLDER]

As root, on Debian with debootstrap and systemd-nspawn: makes an empty Debian root in FOLDER (default
/var/tmp/mcr-install-root; it is removed at the end), installs this repository's HEAD there, boots it with systemd
and no network but loopback, and under the unit's restrictions
  puts streams on air and receives them, measures with ping and iperf3, backs up and restores,
  puts NGINX in front with the very commands of docs/installation.md, rotates the log,
  upgrades, reloads and kills the web process without losing a packet of a stream on air,
  and uninstalls, leaving nothing but data.

  --suite NAME   bookworm (default) or trixie
  --offline      make the archive of deploy/bundle.sh in a second empty root, FOLDER.maker, and install from it in a
                 root that never sees a network
  --keep         keep FOLDER; a root that is there already is used again
HELP
}

suite=bookworm offline=no keep=no folder=/var/tmp/mcr-install-root
arguments=("$@")
while [ $# -gt 0 ]; do
    case $1 in
        --suite)
            suite=$2
            shift
            ;;
        --offline) offline=yes ;;
        --keep) keep=yes ;;
        --help)
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

source_folder=$(cd "$(dirname "$0")/.." && pwd -P)
# shellcheck source=scripts/fresh_root.sh
. "$source_folder/scripts/fresh_root.sh"
[ -n "${IN_NAMESPACE:-}" ] || in_namespaces "$folder" "$keep" "${arguments[@]}"

# What the check itself needs in the booted root; with libcap2-bin, ping's file gets its capability, as on most hosts.
tools=(systemd-sysv procps iproute2 libcap2-bin nginx openssl logrotate)
if [ "$offline" = yes ]; then
    make_root "$suite" "$folder.maker" "$source_folder"
    step "deploy/bundle.sh"
    rm -rf "$folder.maker/root/bundle"
    mkdir "$folder.maker/root/bundle"
    inside "$folder.maker" /root/streamer/deploy/bundle.sh "${tools[@]/#/--with=}" /root/bundle
    make_empty_root "$suite" "$folder"
    rm -rf "$folder/root/archive"
    mkdir "$folder/root/archive"
    tar --extract --strip-components=1 --directory="$folder/root/archive" --file "$folder.maker"/root/bundle/*.tar.gz
    step "no network: packages of the archive, without a running systemd"
    inside "$folder" unshare --net /root/archive/install-offline.sh packages "${tools[@]}" 2>&1 | tail -n 2
    installer=/root/archive/install-offline.sh
    inside "$folder" unshare --net $installer uninstall --purge
else
    make_root "$suite" "$folder" "$source_folder"
    step "deploy/install.sh, without a running systemd"
    inside "$folder" apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends "${tools[@]}" >/dev/null
    installer=/root/streamer/deploy/install.sh
    # What an earlier run left, so that this one begins clean.
    inside "$folder" $installer uninstall --purge
    inside "$folder" $installer
fi

step "boot"
install -m 0755 "$source_folder/scripts/check_install_inside.sh" "$folder/root/check.sh"
cat >"$folder/etc/systemd/system/check.service" <<'UNIT'
[Unit]
After=multi-user.target
SuccessAction=exit
FailureAction=exit
[Service]
Type=oneshot
ExecStart=/root/check.sh
StandardOutput=append:/root/check.log
StandardError=append:/root/check.log
Environment=HOME=/root LANG=C.UTF-8 INSTALLER=INSTALLER_HERE
TimeoutStartSec=1800
[Install]
WantedBy=default.target
UNIT
sed -i "s#INSTALLER_HERE#$installer#" "$folder/etc/systemd/system/check.service"
rm -f "$folder/root/passed" "$folder/root/check.log"
inside "$folder" systemctl enable --quiet check.service
unmount_root "$folder"
mount -t tmpfs tmpfs /run # of this namespace: systemd-nspawn insists on one
# systemd 256 and later start on a host of control groups version 1 only when configured to.
systemd-nspawn --directory="$folder" --machine=mcr-install --register=no --keep-unit --private-network --boot \
    --setenv=SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1 </dev/null >"$folder.log" 2>&1 || true
cat "$folder/root/check.log" || cat "$folder.log"
[ -e "$folder/root/passed" ] || {
    echo "error: not passed" >&2
    exit 1
}
step "all well"
