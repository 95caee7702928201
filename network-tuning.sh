#!/usr/bin/env bash
# Sets the kernel's network settings for SRT hosts, each for the reason next to it.
set -euo pipefail

usage() {
    cat <<'HELP'
usage: network-tuning.sh [--dry-run]

Raises kernel settings that are too low for SRT and multicast, and keeps those that are high enough. Needs root, except
with --dry-run, which only prints what it would change.
The settings last until the next boot: network-tuning.service applies them at each boot.
The exit status is 1 if a setting could not be changed.
HELP
}

dry_run=no
for argument in "$@"; do
    case $argument in
        --dry-run) dry_run=yes ;;
        --help | -h)
            usage
            exit
            ;;
        *)
            usage >&2
            exit 2
            ;;
    esac
done

root=${PROC_SYS:-/proc/sys} # tests use a folder instead
changed=0 failed=0

# set_to NAME VALUE REASON: write VALUE unless it is there.
set_to() {
    local name=$1 value=$2 reason=$3 file=$root/${1//.//} now
    if [ ! -e "$file" ]; then
        echo "skip     $name: this kernel does not have it here"
        return
    fi
    now=$(tr '\t' ' ' <"$file")
    if [ "$now" = "$value" ]; then
        echo "keep     $name = $now"
    elif [ "$dry_run" = yes ]; then
        echo "would    $name = $now -> $value: $reason"
    elif { echo "$value" >"$file"; } 2>/dev/null; then
        echo "changed  $name = $now -> $value: $reason"
        changed=$((changed + 1))
    else
        echo "FAILED   $name = $now, wanted $value: not permitted" >&2
        failed=$((failed + 1))
    fi
}

# at_least NAME VALUE REASON: the same, for limits that may be higher.
at_least() {
    local file=$root/${1//.//}
    if [ -e "$file" ] && [ "$(cat "$file")" -ge "$2" ]; then
        echo "keep     $1 = $(cat "$file")"
    else
        set_to "$@"
    fi
}

at_least net.core.rmem_max 16777216 \
    "libsrt asks for 12 MB for its UDP socket (8192 packets x 1500), a multicast input of 50 Mb/s for 8 MB"
at_least net.core.wmem_max 4194304 \
    "several receivers and retransmissions leave in bursts through one UDP socket"
at_least net.core.netdev_max_backlog 5000 \
    "packets that wait for the CPU; the usual 1000 is 10 ms at 1 Gb/s"
at_least net.core.netdev_budget 600 \
    "packets that are taken from the card in one go, against drops under load"
# The stricter of `all` and the interface's own value acts (ip-sysctl): 0 everywhere is no filter at all.
if grep -qsx 1 "$root"/net/ipv4/conf/*/rp_filter; then
    set_to net.ipv4.conf.all.rp_filter 2 \
        "strict reverse-path filtering (1) drops multicast whose sender is routed through another interface"
else
    echo "keep     net.ipv4.conf.all.rp_filter: no interface filters strictly"
fi
set_to net.ipv4.ping_group_range "0 2147483647" \
    "the network test pings without privileges; the service may not gain any"

echo "$changed changed"
[ "$failed" -eq 0 ]
