#!/usr/bin/env bash
# The part of check_install.sh that runs in the booted root.
set -euo pipefail
trap 'echo "failed in line $LINENO: $BASH_COMMAND"; mcr streams; ask /api/events
journalctl --no-pager -b -n 60 -u mcr-srt-streamer -u network-tuning' ERR
cd "${INSTALLER%/*}"
[ -e program ] || cd .. # deploy/install.sh of a clone, or install-offline.sh of an archive

step() { printf '\n##### %s\n' "$*"; }
wait_until() { # wait_until SECONDS COMMAND...
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $deadline ] || {
            echo "not in time: $*"
            return 1
        }
        sleep 0.2
    done
}
ask() { # the API as a script uses it
    # shellcheck source=/dev/null
    (
        set -a && . /etc/mcr-srt-streamer/environment && python3 - "$1" <<'ASK'
import os, sys, urllib.request
request = urllib.request.Request("http://127.0.0.1:5000" + sys.argv[1])
request.add_header("Authorization", "Bearer " + os.environ["API_KEY"])
print(urllib.request.urlopen(request, timeout=20).read().decode())
ASK
    )
}
absent() { if grep "$@"; then return 1; fi; }
worker_pids() { pgrep -u mcr-srt -f app.worker.worker | sort; }
main_pid() { systemctl show --property=MainPID --value mcr-srt-streamer; }
is_phase() { mcr streams | grep -q "^$1  *$2 "; }

step "the service runs as its user, under its restrictions"
$INSTALLER
# In a container the kernel grants some settings only: the others are named, and the service runs nevertheless.
journalctl --no-pager --output=cat -b -u network-tuning | grep -E '^(changed|keep|skip|FAILED) '
[ "$(cat /proc/sys/net/ipv4/conf/all/rp_filter)" != 1 ]
systemctl is-active mcr-srt-streamer
[ "$(ps -o user= -p "$(main_pid)")" = mcr-srt ]
grep -x 'NoNewPrivs:.1' "/proc/$(main_pid)/status"
grep -x 'Seccomp:.2' "/proc/$(main_pid)/status"
[ "$(stat -c '%a %U' /run/mcr-srt-streamer /var/lib/mcr-srt-streamer /var/log/srt-streamer | tr '\n' ',')" = \
    "700 mcr-srt,750 mcr-srt,750 mcr-srt," ]
# Where the container has a processor controller, the kernel has the weight too.
weight=/sys/fs/cgroup$(systemctl show --property=ControlGroup --value mcr-srt-streamer)/cpu.weight
[ "$(systemctl show --property=CPUWeight --value mcr-srt-streamer)" = 1000 ]
[ ! -e "$weight" ] || [ "$(cat "$weight")" = 1000 ]
mcr check || true

step "streams: a file, and bars with DSCP"
key=$(mcr start --listener 10001 --file bars_and_tone.ts --latency 4000 | cut -d' ' -f1)
mcr start --listener 10002 --bars 720p50
ffmpeg -v fatal -i srt://127.0.0.1:10002 -t 3 -map 0 -c copy -y -f mpegts /root/bars.ts </dev/null
[ "$(stat -c %s /root/bars.ts)" -gt 100000 ]
# Every packet as it comes, for the whole rest of this check. 4 s of latency, so that a busy machine is no loss.
ffmpeg -v fatal -i 'srt://127.0.0.1:10001' -map 0 -c copy -copy_unknown -y -f mpegts /root/through.ts </dev/null &
receiver=$!
wait_until 10 is_phase "$key" delivering

step "DSCP on the wire"
python3 - <<'WIRE'
import socket, subprocess
wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
wire.bind(("lo", 0))
wire.settimeout(10)
receiver = subprocess.Popen("ffmpeg -v fatal -i srt://127.0.0.1:10002 -map 0 -c copy -f null -".split(), stdin=-3)
seen = []
while len(seen) < 100:
    packet = wire.recv(65535)
    if packet[9] == socket.IPPROTO_UDP and packet[20:22] == (10002).to_bytes(2, "big"):
        seen.append(packet[1] >> 2)
receiver.kill()
receiver.wait()
print(f"DSCP of 100 packets that left port 10002: {set(seen)}")
assert set(seen) == {34}
WIRE

step "multicast within the restrictions"
ip link add test0 type veth peer name test1
ip address add 198.51.100.1/24 dev test0
ip link set test0 up multicast on
ip link set test1 up
python3 - <<'SENDER' &
import socket, time
packets = open("/var/lib/mcr-srt-streamer/media/bars_and_tone.ts", "rb").read()
group = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
group.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("198.51.100.1"))
began, sent = time.monotonic(), 0
while sent < len(packets):
    group.sendto(packets[sent : sent + 1316], ("239.1.1.1", 5001))
    sent += 1316
    time.sleep(max(0, began + sent * 8 / 8e6 - time.monotonic()))
SENDER
sender=$!
mcr start --listener 10003 --multicast 239.1.1.1:5001 --interface test0
ffmpeg -v fatal -i srt://127.0.0.1:10003 -t 3 -map 0 -c copy -y -f mpegts /root/multicast.ts </dev/null
[ "$(stat -c %s /root/multicast.ts)" -gt 100000 ]
kill $sender

step "network test: ping and iperf3 within the restrictions"
iperf3 --server --daemon --pidfile /run/iperf3.pid
mcr network-test 127.0.0.1 --seconds 2 | tee /root/network-test.log
grep -q '^done: ' /root/network-test.log
grep -q 'RTT: .* ping' /root/network-test.log
kill "$(tr -d '\0' </run/iperf3.pid)"

step "ffprobe within the restrictions"
knows_codec() { ask '/api/media/info?path=bars_and_tone.ts' | grep '"tool":"ffprobe"'; }
wait_until 90 knows_codec || ask '/api/media/info?path=bars_and_tone.ts'
knows_codec >/dev/null

step "NGINX in front, by the commands of docs/installation.md"
program=/opt/mcr-srt-streamer/current
cat >/root/documented.sh <<'RUN'
set -euo pipefail
sudo() { "$@"; }
RUN
# The commands of one section; the password that openssl would ask for is filled in.
documented() {
    # shellcheck disable=SC2016 # the marks of a code block
    sed -n "/^## $1\$/,/^## /p" $program/docs/installation.md | sed -n '/^```bash/,/^```/{/^```/d;p}' |
        sed 's/passwd -apr1/passwd -apr1 check/'
}
answers() { # answers URL [NAME:PASSWORD]: the status
    python3 - "$@" <<'ANSWER'
import base64, ssl, sys, urllib.error, urllib.request
context = ssl._create_unverified_context()
request = urllib.request.Request(sys.argv[1])
if len(sys.argv) > 2:
    request.add_header("Authorization", "Basic " + base64.b64encode(sys.argv[2].encode()).decode())
try:
    print(urllib.request.urlopen(request, timeout=10, context=context).status)
except urllib.error.HTTPError as error:
    print(error.code)
ANSWER
}
mkdir -p /etc/nginx/conf.d
systemctl is-active --quiet nginx || systemctl start nginx
for section in "The password in front" "HTTPS"; do
    (cat /root/documented.sh && documented "$section") >/root/section.sh
    bash /root/section.sh 2>&1
done
wait_until 10 answers https://127.0.0.1/health
[ "$(answers https://127.0.0.1/)" = 401 ]
[ "$(answers https://127.0.0.1/ operator:check)" = 200 ]
[ "$(answers https://127.0.0.1/static/css/style.css operator:check)" = 200 ]

step "logrotate"
cp $program/deploy/logrotate.conf /etc/logrotate.d/mcr-srt-streamer
logrotate --force /etc/logrotate.d/mcr-srt-streamer
[ "$(stat -c '%a %U' /var/log/srt-streamer/srt_streamer.log)" = \
    "$(stat -c '%a %U' /var/log/srt-streamer/srt_streamer.log-*)" ]

step "reload: SIGHUP executes the web process again"
first=$(main_pid)
before=$(worker_pids)
systemctl reload mcr-srt-streamer
sleep 1
wait_until 60 mcr streams
[ "$(main_pid)" = "$first" ]
[ "$(worker_pids)" = "$before" ]

step "upgrade"
if [ -e program ]; then
    echo "upgraded" >>program/README.md
    find . -type f ! -name SHA256SUMS -exec sha256sum {} + >/root/sums
    mv /root/sums SHA256SUMS
else
    echo "upgraded" >>README.md
fi
release=$(readlink /opt/mcr-srt-streamer/current)
$INSTALLER
[ "$(readlink /opt/mcr-srt-streamer/current)" != "$release" ]
sleep 1
wait_until 60 mcr streams
[ "$(worker_pids)" = "$before" ]
grep -q "$(readlink /opt/mcr-srt-streamer/current)" "/proc/$(main_pid)/maps"
absent "$release" "/proc/$(main_pid)/maps"

step "install again: nothing changes"
$INSTALLER 2>&1 | tee /root/again.log
absent -E 'making|writing|switching|reloading|starting' /root/again.log

step "a crash of the web process"
kill -KILL "$(main_pid)"
wait_until 60 mcr streams
wait_until 10 is_phase "$key" delivering
[ "$(worker_pids)" = "$before" ]

step "one receiver saw none of it"
kill -TERM $receiver
wait $receiver || true
# 25 pictures a second without a gap, and sound frames of 24 ms, from the first to the last.
for stream in v:25 a:41.6667; do
    ffprobe -v fatal -select_streams "${stream%%:*}" -show_entries packet=pts_time -of csv=p=0 /root/through.ts |
        grep -E '^[0-9]' | sort -n | awk -v rate="${stream##*:}" -F, '
            NR > 1 && ($1 - last) * rate > 1.1 { print "gap of " $1 - last " s at " last; gaps++ }
            { if (NR == 1) first = $1; last = $1 }
            END { print NR " frames in " last - first " s"; exit gaps > 0 || last - first < 10 }'
done

step "backup, wipe, restore"
mcr backup /root/backup.tar.gz
systemctl stop mcr-srt-streamer
[ -z "$(worker_pids)" ]
rm -f /var/lib/mcr-srt-streamer/*.sqlite3*
mcr restore /root/backup.tar.gz
systemctl start mcr-srt-streamer
wait_until 20 is_phase "$key" waiting

step "uninstall"
$INSTALLER uninstall
[ "$(systemctl is-active mcr-srt-streamer)" != active ]
[ -z "$(pgrep -u mcr-srt || true)" ]
nginx -t
[ ! -e /etc/nginx/conf.d/mcr-srt-streamer-tls.conf ]
rm -f /etc/nginx/mcr-srt-streamer.* # the operator's own
left=$(find / -xdev \( -path /proc -o -path /root -o -path /sys -o -path /run -o -path /var/log/journal \) -prune \
    -o \( -name '*mcr-srt*' -o -name '*srt-streamer*' -o -name mcr \) -print | sort)
echo "left: $left" | tr '\n' ' '
[ "$left" = "/etc/logrotate.d/mcr-srt-streamer
/etc/mcr-srt-streamer
/var/lib/mcr-srt-streamer
/var/log/srt-streamer" ]
$INSTALLER uninstall --purge
[ ! -e /var/lib/mcr-srt-streamer ]
[ ! -e /etc/logrotate.d/mcr-srt-streamer ]
absent '^mcr-srt:' /etc/passwd

touch /root/passed
