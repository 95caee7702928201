#!/usr/bin/env bash
# Proves the service on an empty machine: deploy/install.sh under a booted systemd, streams, upgrade, crash, uninstall.
set -euo pipefail

usage() {
    cat <<'HELP'
usage: scripts/check_install.sh [--suite NAME] [--keep] [FOLDER]

As root, on Debian with debootstrap and systemd-nspawn: makes an empty Debian root in FOLDER (default
/var/tmp/mcr-install-root; it is removed at the end), installs this repository's HEAD there, boots it with systemd
and no network but loopback, and under the unit's restrictions
  puts streams on air and receives them, measures with ping and iperf3, backs up and restores,
  upgrades, reloads and kills the web process without losing a packet of a stream on air,
  and uninstalls, leaving nothing but data.

  --suite NAME   bookworm (default) or trixie
  --keep         keep FOLDER; a root that is there already is used again
HELP
}

suite=bookworm keep=no folder=/var/tmp/mcr-install-root
arguments=("$@")
while [ $# -gt 0 ]; do
    case $1 in
        --suite) suite=$2; shift ;;
        --keep) keep=yes ;;
        --help) usage; exit ;;
        -*) usage >&2; exit 2 ;;
        *) folder=$1 ;;
    esac
    shift
done

source_folder=$(cd "$(dirname "$0")/.." && pwd -P)
# shellcheck source=scripts/fresh_root.sh
. "$source_folder/scripts/fresh_root.sh"
[ -n "${IN_NAMESPACE:-}" ] || in_namespaces "$folder" "$keep" "${arguments[@]}"

make_root "$suite" "$folder" "$source_folder"
step "deploy/install.sh, without a running systemd"
inside "$folder" apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends systemd-sysv procps iproute2 >/dev/null
# What an earlier run left, so that this one begins anew.
inside "$folder" /root/streamer/deploy/install.sh uninstall --purge
inside "$folder" /root/streamer/deploy/install.sh

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
Environment=HOME=/root LANG=C.UTF-8
TimeoutStartSec=600
[Install]
WantedBy=default.target
UNIT
rm -f "$folder/root/passed" "$folder/root/check.log"
inside "$folder" systemctl enable --quiet check.service
umount "$folder/run" "$folder/mnt/source"
umount --recursive "$folder/dev" "$folder/sys"
umount "$folder/proc"
mount -t tmpfs tmpfs /run # of this namespace: systemd-nspawn insists on one
# systemd 256 and later start on a host of control groups version 1 only when told to.
systemd-nspawn --directory="$folder" --machine=mcr-install --register=no --keep-unit --private-network --boot \
    --setenv=SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1 </dev/null >"$folder.log" 2>&1 || true
cat "$folder/root/check.log" || cat "$folder.log"
[ -e "$folder/root/passed" ] || { echo "error: not passed" >&2; exit 1; }
step "all well"
