# The program on Debian 12 with Debian's GStreamer and libsrt. Build: docker build -t mcr-srt-streamer .
FROM debian:12-slim

WORKDIR /opt/mcr-srt-streamer
COPY . .
# The same set-up as run.sh: the packages of scripts/packages.sh and the locked requirements with their hashes.
RUN bash -euo pipefail -c '. scripts/setup.sh; set_up run' \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --home-dir /data --shell /usr/sbin/nologin mcr-srt \
    && install -d -o mcr-srt -g mcr-srt /data /media /run/mcr-srt

USER mcr-srt
ENV DATA_FOLDER=/data MEDIA_FOLDER=/media RUNTIME_FOLDER=/run/mcr-srt LOG_FILE=/data/srt_streamer.log
VOLUME ["/data", "/media"]
# run.sh makes and keeps the SECRET_KEY in /data and then becomes the server.
CMD ["./run.sh"]
