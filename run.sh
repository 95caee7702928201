#!/usr/bin/env bash
# Sets the machine up, makes what a first start needs and starts the web server in the foreground.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

usage() {
    cat <<'HELP'
usage: ./run.sh [--demo] [--help]

Installs what is missing and starts MCR SRT Streamer on http://127.0.0.1:5000/ .
  --demo   also put media/bars_and_tone.ts on air on the first free listener port
           and print the commands that receive it

Settings come from the environment, see docs/configuration.md. HOST=0.0.0.0 ./run.sh
serves other machines too: put the NGINX site of deploy/ with its password in front.
HELP
}

demo=no
for argument in "$@"; do
    case $argument in
        --demo) demo=yes ;;
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

# shellcheck source=scripts/setup.sh
. scripts/setup.sh
set_up run

export DATA_FOLDER=${DATA_FOLDER:-$PWD/app/data} MEDIA_FOLDER=${MEDIA_FOLDER:-$PWD/media}
mkdir -p "$DATA_FOLDER" "$MEDIA_FOLDER"

# Print the key that the data folder keeps under a name: 32 random bytes in hexadecimal, readable by this user only.
kept_key() {
    local file=$DATA_FOLDER/$1 purpose=$2
    if [ ! -s "$file" ]; then
        say "making $file: $purpose"
        (
            umask 077
            $VENV/bin/python -c 'import secrets; print(secrets.token_hex(32))' >"$file.new"
            mv "$file.new" "$file"
        )
    fi
    cat "$file"
}
SECRET_KEY=${SECRET_KEY:-$(kept_key secret_key "a backup needs it to read stored passphrases")}
API_KEY=${API_KEY:-$(kept_key api_key "./mcr and your scripts send it to the API")}
export SECRET_KEY API_KEY

$VENV/bin/python -m app.engines.gstreamer.check_elements

sample=$MEDIA_FOLDER/bars_and_tone.ts
if [ ! -e "$sample" ] && { [ "$demo" = yes ] || [ -z "$(find "$MEDIA_FOLDER" -name '*.ts' -print -quit)" ]; }; then
    say "making the sample $sample"
    $VENV/bin/python -m app.engines.gstreamer.make_sample "$sample"
fi

if [ "$demo" = yes ]; then
    # A grandchild, so that no process has to reap it once the web server has taken this process over.
    ($VENV/bin/python -m app.cli demo --server-pid $$ &)
fi

say "starting on http://${HOST:-127.0.0.1}:${PORT:-5000}/ (Ctrl-C stops the streams and the server)"
exec $VENV/bin/python wsgi.py
