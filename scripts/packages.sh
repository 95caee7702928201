# shellcheck shell=bash
# The packages that the product needs from the distribution. scripts/setup.sh sources this file; nothing runs here.
# Debian and Ubuntu by package name. Red Hat's family by what an RPM provides: every GStreamer RPM provides
# `gstreamer1(element-NAME)`, so dnf finds the right package whatever repository it lives in.

# shellcheck disable=SC2034  # the arrays are read by scripts/setup.sh
DEBIAN_RUN=(
    python3 python3-venv            # the interpreter and its venv
    python3-gi gir1.2-gstreamer-1.0 # GStreamer from Python
    gir1.2-gst-plugins-base-1.0 gir1.2-gst-plugins-bad-1.0
    gstreamer1.0-plugins-base gstreamer1.0-plugins-good
    gstreamer1.0-plugins-bad  # srtsink, tsparse, mpegtsmux
    gstreamer1.0-plugins-ugly # x264enc, for colour bars
    gstreamer1.0-x            # clockoverlay, textoverlay, timeoverlay
    iputils-ping iperf3       # the network test
    fonts-dejavu-core         # letters of every alphabet in the line-up report as PDF
    ffmpeg mediainfo          # the media page: ffprobe, mediainfo
)

# shellcheck disable=SC2034
DEBIAN_TEST=(
    srt-tools                           # srt-live-transmit, the independent peer
    tshark tcpdump                      # the wire's witnesses
    gstreamer1.0-tools                  # gst-launch-1.0, the yardstick of the benchmarks
    iproute2 nftables procps util-linux # network namespaces, losses, process tables
    nginx openssl                       # the shipped site in front of the product, and its password
    logrotate                           # the shipped rules
    systemd libseccomp2                 # systemd-analyze for the shipped units, and a filter like theirs
    postgresql                          # the store's other database; tests start their own server
    corosync pacemaker                  # a cluster of three hosts on one machine
    pacemaker-cli-utils resource-agents # its commands, ocf-tester and IPaddr2
    libxml2-utils                       # xmllint, for ocf-tester
    git shellcheck
)
# The pages, as a browser shows them. Ubuntu ships Chromium as a snap behind a transitional package.
# shellcheck disable=SC2034
DEBIAN_BROWSER=(chromium chromium-driver)
# shellcheck disable=SC2034
UBUNTU_BROWSER=(chromium-browser chromium-chromedriver)

# Python 3.11 where the distribution's own python3 is older: Ubuntu 22.04 has 3.10, RHEL 9 has 3.9. PyGObject is
# then compiled for it, which needs a compiler and headers.
# shellcheck disable=SC2034
DEBIAN_OLD_PYTHON=(python3.11 python3.11-venv python3.11-dev gcc pkg-config libgirepository1.0-dev libcairo2-dev)
# shellcheck disable=SC2034
RPM_OLD_PYTHON=(python3.11 python3.11-devel gcc pkgconf-pkg-config gobject-introspection-devel cairo-gobject-devel)

# shellcheck disable=SC2034
RPM_RUN=(
    'gstreamer1(element-filesrc)()(64bit)'
    'gstreamer1(element-udpsrc)()(64bit)'
    'gstreamer1(element-rtpmp2tdepay)()(64bit)'
    'gstreamer1(element-tsparse)()(64bit)'
    'gstreamer1(element-mpegtsmux)()(64bit)'
    'gstreamer1(element-srtsink)()(64bit)'
    'gstreamer1(element-appsink)()(64bit)'
    'gstreamer1(element-videotestsrc)()(64bit)'
    'gstreamer1(element-audiotestsrc)()(64bit)'
    'gstreamer1(element-clockoverlay)()(64bit)'
    'gstreamer1(element-x264enc)()(64bit)'
    'gstreamer1(element-timeoverlay)()(64bit)'
    'gstreamer1(element-textoverlay)()(64bit)'
    'gstreamer1(element-h264parse)()(64bit)'
    'gstreamer1(element-mpegaudioparse)()(64bit)'
    'gstreamer1(element-twolamemp2enc)()(64bit)'
    iputils iperf3 /usr/bin/ffprobe /usr/bin/mediainfo
    dejavu-sans-fonts
)

# shellcheck disable=SC2034
RPM_TEST=(
    /usr/bin/srt-live-transmit /usr/bin/ffmpeg
    wireshark-cli tcpdump
    /usr/bin/gst-launch-1.0
    iproute nftables procps-ng util-linux
    chromium chromedriver
    nginx openssl logrotate
    systemd libseccomp
    postgresql-server
    git ShellCheck
)
