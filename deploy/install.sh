#!/usr/bin/env bash
# Installs, upgrades and removes MCR SRT Streamer as a systemd service. Run as root from a checkout.
set -euo pipefail

usage() {
    cat <<'HELP'
usage: deploy/install.sh [--dry-run] [--prefix FOLDER] [--bundle FOLDER]
       deploy/install.sh uninstall [--purge] [--dry-run] [--prefix FOLDER]

Installs this source tree as the service mcr-srt-streamer, or upgrades the service. An upgrade keeps data, and
streams stay on air. What is already correct is not changed.

  --prefix FOLDER  where the program lives; default /opt/mcr-srt-streamer
  --dry-run        print what would be done
  --bundle FOLDER  install from an unpacked archive of deploy/bundle.sh, without a network. install-offline.sh in the
                   archive does this
  uninstall        stop the service and remove the program; settings, media, data and logs stay
  --purge          remove those and the user too

Program /opt/mcr-srt-streamer · settings /etc/mcr-srt-streamer/environment · data and media /var/lib/mcr-srt-streamer ·
log /var/log/srt-streamer.
HELP
}

order=install dry_run=no purge=no prefix=/opt/mcr-srt-streamer
while [ $# -gt 0 ]; do
    case $1 in
        install | uninstall) order=$1 ;;
        --dry-run) dry_run=yes ;;
        --purge) purge=yes ;;
        --prefix)
            prefix=${2:?--prefix needs a folder}
            shift
            ;;
        --bundle)
            BUNDLE=$(cd "${2:?--bundle needs a folder}" && pwd -P)
            shift
            ;;
        --help | -h)
            usage
            exit
            ;;
        *)
            usage >&2
            exit 2
            ;;
    esac
    shift
done

source_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$source_folder"
# shellcheck source=scripts/setup.sh
. scripts/setup.sh

user=mcr-srt
settings=/etc/mcr-srt-streamer/environment
data=/var/lib/mcr-srt-streamer
logs=/var/log/srt-streamer
command=/usr/local/bin/mcr
units=(network-tuning.service mcr-srt-streamer.service)
unit_folder=/etc/systemd/system

[[ $prefix =~ ^(/[A-Za-z0-9._-]+)+$ ]] || die "--prefix needs an absolute folder of plain letters, not $prefix"
[ -e .git ] || [ -e .files ] || die "this is neither a clone nor an archive of deploy/bundle.sh"
[ "$dry_run" = yes ] || [ "$(id -u)" -eq 0 ] || die "run this as root, or with --dry-run"

# Run a command, or with --dry-run print it.
run() {
    if [ "$dry_run" = yes ]; then
        printf 'would run: %s\n' "$*"
    else
        "$@"
    fi
}
# No index, and none of this host's pip configuration.
if [ -n "${BUNDLE:-}" ]; then
    export PIP_CONFIG_FILE=/dev/null PIP_NO_INDEX=1 PIP_FIND_LINKS=$BUNDLE/wheels
fi

has_systemd() { [ -d /run/systemd/system ]; }

# Standard input becomes FILE with MODE and OWNER, unless FILE is like that already.
write_file() {
    local file=$1 mode=$2 owner=$3 text
    text=$(cat)
    [ "$text" = "$(cat "$file" 2>/dev/null)" ] && return
    say "writing $file"
    [ "$dry_run" = yes ] && return
    install -D -m "$mode" /dev/stdin "$file.new" <<<"$text"
    chown "$owner" "$file.new"
    mv "$file.new" "$file"
}

make_folder() {
    [ -d "$1" ] && return
    say "making $1"
    run install -d -m "$2" -o "$user" -g "$user" "$1"
}

# The program's files by name: those in git, or those that deploy/bundle.sh packed.
list_files() {
    if [ -e .git ]; then
        git -c safe.directory='*' ls-files -z | LC_ALL=C sort -z
    else
        tr '\n' '\0' <.files
    fi
}

# A name for exactly these files.
version() { list_files | xargs -0 sha256sum | sha256sum | cut -c1-12; }

install_packages() {
    if [ "$dry_run" = yes ]; then
        # shellcheck disable=SC2317  # called by ensure_system
        install_debian() { echo "would install: $*"; }
        # shellcheck disable=SC2317
        install_rpm() { echo "would install: $*"; }
    fi
    ensure_system run
}

make_user() {
    id -u "$user" >/dev/null 2>&1 && return
    say "making the user $user"
    run useradd --system --user-group --home-dir "$data" --no-create-home --shell /usr/sbin/nologin "$user"
}

make_release() {
    local release=$prefix/releases/$1
    [ -e "$release/.complete" ] && return
    say "making the release $release"
    [ "$dry_run" = yes ] && return
    rm -rf "$release"
    install -d -m 0755 "$prefix" "$prefix/releases" "$release"
    list_files | tar --null --create --files-from=- | tar --extract --no-same-owner --directory="$release"
    (
        umask 022
        cd "$release"
        # With unchanged requirements the present environment serves the new release too, and nothing goes online.
        [ ! -d "$prefix/current/.venv" ] || cp -a "$prefix/current/.venv" .
        ensure_venv
        ensure_requirements requirements.txt
        $VENV/bin/python -c 'import gi' 2>/dev/null || ensure_requirements requirements-gi.txt
        $VENV/bin/python -m compileall -q app
    )
    chmod -R go+rX "$release"
    if command -v restorecon >/dev/null; then restorecon -R "$release"; fi
    touch "$release/.complete"
}

make_settings() {
    [ -e "$settings" ] && return
    local key_line="openssl rand -hex 32"
    command -v openssl >/dev/null || key_line="od -vAn -N32 -tx1 /dev/urandom"
    write_file "$settings" 0640 "root:$user" <<SETTINGS
# Settings of mcr-srt-streamer, explained in $prefix/current/docs/configuration.md.
# After a change: systemctl reload mcr-srt-streamer does not read this file, systemctl restart does.
SECRET_KEY=$($key_line | tr -d ' \n')
API_KEY=$($key_line | tr -d ' \n')
HOST=127.0.0.1
PORT=5000
DATA_FOLDER=$data
MEDIA_FOLDER=$data/media
RUNTIME_FOLDER=/run/mcr-srt-streamer
LOG_FILE=$logs/srt_streamer.log
SETTINGS
}

make_data() {
    make_folder "$data" 0750
    make_folder "$data/media" 0755
    make_folder "$logs" 0750
    local file
    for file in app/data/*.json; do
        [ -e "$data/${file##*/}" ] && continue
        run install -m 0640 -o "$user" -g "$user" "$file" "$data/"
    done
}

switch_to() {
    [ "$(readlink "$prefix/current" 2>/dev/null)" = "releases/$1" ] && return
    say "switching to the release $1"
    [ "$dry_run" = yes ] && return
    ln -sfn "releases/$1" "$prefix/current.new"
    mv -T "$prefix/current.new" "$prefix/current"
}

# Running workers use the files of the release that they started with, so keep the two releases before this one.
remove_old_releases() {
    local release
    [ -d "$prefix/releases" ] || return 0
    find "$prefix/releases" -mindepth 1 -maxdepth 1 -printf '%T@ %f\n' 2>/dev/null | sort -rn | cut -d' ' -f2 |
        { grep -vx "$1" || true; } | tail -n +3 | while read -r release; do
        say "removing the old release $release"
        run rm -rf "$prefix/releases/$release"
    done
}

make_command() {
    write_file "$command" 0755 root:root <<COMMAND
#!/bin/sh
# mcr with the service's settings; root and members of the group $user can read them.
set -eu
set -a
. $settings
set +a
PYTHONPATH=$prefix/current exec $prefix/current/.venv/bin/python -P -m app.cli "\$@"
COMMAND
}

make_sample() {
    [ -n "$(find "$data/media" -name '*.ts' -print -quit 2>/dev/null)" ] && return
    say "making the sample $data/media/bars_and_tone.ts"
    run runuser -u "$user" -- env PYTHONPATH="$prefix/current" HOME="$data" "$prefix/current/.venv/bin/python" \
        -m app.engines.gstreamer.make_sample "$data/media/bars_and_tone.ts"
}

# Nothing is signalled when neither program nor units changed.
start_units() {
    local unit before=$1
    for unit in "${units[@]}"; do
        sed "s#/opt/mcr-srt-streamer#$prefix#g" "deploy/$unit" | write_file "$unit_folder/$unit" 0644 root:root
    done
    if ! has_systemd; then
        say "systemd does not run here: start the service with systemctl enable --now ${units[*]}"
        return
    fi
    run systemctl daemon-reload
    run systemctl enable --quiet "${units[@]}"
    if [ "$before" = "$(readlink "$prefix/current")" ] && systemctl is-active --quiet mcr-srt-streamer.service; then
        return
    fi
    run systemctl restart network-tuning.service ||
        say "not all kernel settings could be made, as in a container: journalctl -u network-tuning"
    if systemctl is-active --quiet mcr-srt-streamer.service; then
        say "reloading; streams stay on air"
        run systemctl reload mcr-srt-streamer.service
    else
        say "starting"
        run systemctl start mcr-srt-streamer.service
    fi
}

do_install() {
    local release before
    install_packages
    release=$(version)
    before=$(readlink "$prefix/current" || true)
    make_user
    make_release "$release"
    make_settings
    make_data
    switch_to "$release"
    make_command
    make_sample
    start_units "$before"
    remove_old_releases "$release"
    say "installed: release $release in $prefix; NGINX sites are in $prefix/current/deploy/nginx"
}

# Without the program, links to the sites are broken, and NGINX would no longer start.
remove_sites() {
    local link
    for link in /etc/nginx/conf.d/*.conf /etc/nginx/sites-enabled/*; do
        [[ $(readlink "$link" 2>/dev/null) = "$prefix"/* ]] || continue
        say "taking the site $link out of NGINX"
        run rm -f "$link"
        if has_systemd && systemctl is-active --quiet nginx.service; then run systemctl reload nginx.service; fi
    done
}

do_uninstall() {
    local unit
    remove_sites
    for unit in "${units[@]}"; do
        [ -e "$unit_folder/$unit" ] || continue
        say "removing $unit"
        if has_systemd; then run systemctl disable --quiet --now "$unit"; fi
        run rm -f "$unit_folder/$unit" "$unit_folder/multi-user.target.wants/$unit"
    done
    if has_systemd; then run systemctl daemon-reload; fi
    run rm -f "$command"
    run rm -rf "$prefix"
    if [ "$purge" = no ]; then
        say "kept: $settings, $data, $logs and the user $user; --purge removes them"
        return
    fi
    run rm -rf "${settings%/*}" "$data" "$logs" /etc/logrotate.d/mcr-srt-streamer
    if id -u "$user" >/dev/null 2>&1; then run userdel "$user"; fi
}

"do_$order"
