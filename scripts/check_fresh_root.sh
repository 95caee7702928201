#!/usr/bin/env bash
# Proves the two commands on an empty machine: debootstrap, git and bash, a clone, ./run.sh --demo, ./test.sh.
set -euo pipefail

usage() {
    cat <<'HELP'
usage: scripts/check_fresh_root.sh [--suite NAME] [--no-tests] [--keep] [FOLDER]

As root, on Debian or Ubuntu with debootstrap: makes an empty Debian root in FOLDER (default
/var/tmp/mcr-fresh-root; it is removed at the end), clones this repository's HEAD into it and there
  1. runs ./run.sh --demo and receives the demo stream with ffmpeg,
  2. runs it again with no network but loopback: nothing is missing, so it starts in seconds,
  3. runs ./test.sh.
About 4 GB of disk. scripts/fresh_root.sh says which environment variables adapt it to a network.

  --suite NAME   bookworm (default) or trixie
  --no-tests     leave out step 3
  --keep         keep FOLDER; a root that is there already is used again
HELP
}

suite=bookworm tests=yes keep=no folder=/var/tmp/mcr-fresh-root
arguments=("$@")
while [ $# -gt 0 ]; do
    case $1 in
        --suite)
            suite=$2
            shift
            ;;
        --no-tests) tests=no ;;
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

make_root "$suite" "$folder" "$source_folder"

# Starts the demo in the background of the shell that runs it, receives ten seconds, checks them and stops it.
cat >"$folder/root/receive.sh" <<'INSIDE'
set -euo pipefail
cd /root/streamer
rm -f /root/received.ts
PORT=${1:-5000} ./run.sh --demo >/root/run.log 2>&1 &
server=$!
began=$SECONDS
until grep -q ffplay /root/run.log; do
    kill -0 $server 2>/dev/null || { cat /root/run.log; exit 1; }
    sleep 0.2
done
echo "on air after $((SECONDS - began)) s"
# A receiver comes in between two pictures that stand alone; what ffmpeg says until the next one is no fault.
ffmpeg -v fatal -i 'srt://127.0.0.1:10001' -t 10 -map 0 -c copy -f mpegts /root/received.ts </dev/null
kill -TERM $server
wait $server || true
cat /root/run.log
codecs=$(ffprobe -v fatal -show_entries stream=codec_name,duration -of csv=p=0 /root/received.ts | tr '\n' ' ')
echo "received: $codecs"
[ "$(stat -c %s /root/received.ts)" -gt 1000000 ]
INSIDE

step "./run.sh --demo and a receiver"
inside "$folder" bash /root/receive.sh 15000 # this network is shared with the host, where 5000 may be taken

step "./run.sh --demo again, with no network"
inside "$folder" unshare --net bash -c 'python3 -c "
import fcntl, socket, struct
with socket.socket() as any_socket:  # loopback up (SIOCSIFFLAGS, IFF_UP | IFF_RUNNING), there is no ip command here
    fcntl.ioctl(any_socket, 0x8914, struct.pack(\"16sh\", b\"lo\", 0x41))
" && bash /root/receive.sh'

if [ "$tests" = yes ]; then
    step "./test.sh"
    inside "$folder" bash -c 'cd /root/streamer && CI=true ./test.sh -q </dev/null'
fi
step "all well"
