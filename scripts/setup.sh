# shellcheck shell=bash
# Sets a machine up for run.sh and test.sh: system packages, a Python environment, pinned requirements.
# Sourced; call `set_up run` or `set_up test`. What is there already is not touched, and nothing then goes online.

# shellcheck source=scripts/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

VENV=.venv
# BUNDLE: the unpacked archive of deploy/bundle.sh, for a host without the internet; unset, packages come from the
# network.

say() { printf '==> %s\n' "$*" >&2; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -- "$@"
    else
        die "this needs root, and there is no sudo: as root, run: $*"
    fi
}

# debian or rpm: whose package manager this is.
package_family() {
    if command -v apt-get >/dev/null; then
        echo debian
    elif command -v dnf >/dev/null; then
        echo rpm
    else
        die "neither apt-get nor dnf is here; supported are Debian 12/13, Ubuntu 22.04 and later," \
            "Rocky Linux and RHEL 9"
    fi
}

# The names among "$@" that are not installed, one a line.
missing_debian() {
    local installed
    installed=$(dpkg-query -W -f '${binary:Package} ${db:Status-Status}\n' 2>/dev/null |
        sed -n 's/:[a-z0-9]* installed$/ installed/; s/ installed$//p')
    printf '%s\n' "$@" | grep -vxF -f <(printf '%s\n' "$installed") || true
}
missing_rpm() {
    local wanted
    for wanted in "$@"; do
        rpm -q --quiet --whatprovides "$wanted" 2>/dev/null || echo "$wanted"
    done
}

# From the archive of deploy/bundle.sh and from nowhere else; whatever other sources this host has stay unasked.
install_bundled_debs() (
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    mkdir "$work/lists"
    printf 'deb [trusted=yes] file:%s ./\n' "$BUNDLE/packages" >"$work/sources.list"
    options=(-qq -o Dpkg::Use-Pty=0 -o APT::Sandbox::User=root -o Acquire::Languages=none
        -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$work/lists"
        -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=)
    as_root env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" update >&2
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get "${options[@]}" install -y --no-install-recommends "$@" </dev/null >&2 ||
        die "the archive and this host do not fit; deploy/bundle.sh has to be run on the same release"
)
install_debian() {
    if [ -n "${BUNDLE:-}" ]; then
        say "installing from the archive: $*"
        install_bundled_debs "$@"
        return
    fi
    say "installing with apt-get: $*"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update >&2
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends "$@" </dev/null >&2 ||
        die "apt-get could not install them all; on Ubuntu they need the universe repository" \
            "(add-apt-repository universe)"
}

# EPEL has srt, RPM Fusion has x264. Both need CRB, which is installed but disabled.
enable_rpm_repositories() {
    local release
    release=$(rpm -E %rhel)
    rpm -q --quiet dnf-plugins-core || as_root dnf -y -q install dnf-plugins-core >&2
    if ! rpm -q --quiet epel-release; then
        say "adding the EPEL repository"
        as_root dnf -y -q install epel-release >&2 ||
            as_root dnf -y -q install \
                "https://dl.fedoraproject.org/pub/epel/epel-release-latest-$release.noarch.rpm" >&2
    fi
    if [ -x /usr/bin/crb ]; then
        as_root /usr/bin/crb enable >&2
    else
        as_root dnf config-manager --set-enabled crb >&2
    fi
    if ! rpm -q --quiet rpmfusion-free-release; then
        say "adding the RPM Fusion free repository"
        as_root dnf -y -q install \
            "https://mirrors.rpmfusion.org/free/el/rpmfusion-free-release-$release.noarch.rpm" >&2
    fi
}
install_rpm() {
    if [ -n "${BUNDLE:-}" ]; then
        say "installing from the archive: $*"
        as_root dnf -y -q install --disablerepo='*' --setopt=install_weak_deps=False "$BUNDLE"/packages/*.rpm >&2 ||
            die "the RPM packages in $BUNDLE/packages do not bring it all;" \
                "docs/installation.md says how they are fetched"
        return
    fi
    enable_rpm_repositories
    say "installing with dnf: $*"
    as_root dnf -y -q install --setopt=install_weak_deps=False "$@" >&2 || die "dnf could not install them all"
}

# Install what is missing of the names "$@".
ensure_packages() {
    local family missing
    family=$(package_family)
    mapfile -t missing < <("missing_$family" "$@")
    [ "${#missing[@]}" -eq 0 ] || "install_$family" "${missing[@]}"
}

is_recent_python() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

# Install all required system packages and set PYTHON.
ensure_system() {
    local purpose=$1 packages=()
    if [ "$(package_family)" = debian ]; then
        packages=("${DEBIAN_RUN[@]}")
        if [ "$purpose" = test ]; then
            packages+=("${DEBIAN_TEST[@]}")
            if grep -qx 'ID=ubuntu' /etc/os-release; then
                packages+=("${UBUNTU_BROWSER[@]}")
            else
                packages+=("${DEBIAN_BROWSER[@]}")
            fi
        fi
    else
        packages=("${RPM_RUN[@]}")
        [ "$purpose" = run ] || packages+=("${RPM_TEST[@]}")
    fi
    ensure_packages "${packages[@]}"
    PYTHON=/usr/bin/python3
    is_recent_python "$PYTHON" && return
    PYTHON=/usr/bin/python3.11
    if [ "$(package_family)" = debian ]; then
        ensure_packages "${DEBIAN_OLD_PYTHON[@]}"
    else
        ensure_packages "${RPM_OLD_PYTHON[@]}"
    fi
}

ensure_venv() {
    # A venv outlives neither a new interpreter nor a move of its folder.
    if [ -x $VENV/bin/python ] &&
        [ "$($VENV/bin/python -c 'import sys; print(sys.prefix)' 2>/dev/null)" = "$(pwd -P)/$VENV" ] &&
        is_recent_python $VENV/bin/python; then
        return
    fi
    say "making the Python environment $VENV"
    "$PYTHON" -m venv --clear --system-site-packages $VENV
}

# Install a requirements file unless this very content was installed already.
ensure_requirements() {
    local file=$1 stamp=$VENV/$1.sha256 now
    now=$(cat requirements*.txt | sha256sum)
    [ "$now" = "$(cat "$stamp" 2>/dev/null)" ] && return
    say "installing $file"
    # The file names every package of the lock, so pip need not resolve (--no-deps): its resolver takes "name[extra]"
    # for unpinned as soon as a newer release of that package exists.
    # pip's own warnings are not shown at a start that works; a failure shows everything.
    $VENV/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r "$file" \
        >"$VENV/pip.log" 2>&1 || {
        cat "$VENV/pip.log" >&2
        die "pip could not install $file"
    }
    printf '%s\n' "$now" >"$stamp"
}

# The linter of the pages' scripts, from package-lock.json. Node comes with the Python environment.
ensure_node_modules() {
    cmp -s package-lock.json node_modules/.installed-lock.json && return
    say "installing the linter of the pages' scripts"
    PATH="$PWD/$VENV/bin:$PATH" $VENV/bin/npm ci --no-audit --no-fund --silent >&2
    cp package-lock.json node_modules/.installed-lock.json
}

# Set up everything for one purpose: run, or test (which includes run).
set_up() {
    ensure_system "$1"
    ensure_venv
    if [ "$1" = run ]; then
        ensure_requirements requirements.txt
    else
        ensure_requirements requirements-dev.txt
        ensure_node_modules
    fi
    $VENV/bin/python -c 'import gi' 2>/dev/null || ensure_requirements requirements-gi.txt
}
