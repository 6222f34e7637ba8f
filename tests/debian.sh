# Debian's packages, for run-tests and benches/run: which are missing, and how they are installed. Sourced, never run.
# shellcheck shell=bash

# The packages of these that are not installed, one a line.
missing_packages() {
    local package
    for package in "$@"; do
        # shellcheck disable=SC2016 # the dollar is dpkg-query's
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
            printf '%s\n' "$package"
    done
}

as_root() {
    if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

# Debian starts the daemons that it installs, unless this file forbids it (invoke-rc.d(8)). One
# that stands there already is the machine's own, and is left as it is.
policy=/usr/sbin/policy-rc.d
forbid_daemons() {
    [[ -e $policy ]] && return
    trap 'as_root rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
}
allow_daemons() {
    [[ $(trap -p EXIT) ]] || return 0
    as_root rm -f "$policy"
    trap - EXIT
}

install_packages() {
    ((EUID == 0)) || command -v sudo >/dev/null || fail "--install needs root or sudo"
    forbid_daemons
    # apt's words go to standard error: standard output belongs to whoever calls.
    as_root apt-get update -q >&2
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "$@" >&2
    allow_daemons
}

# need_packages INSTALL PACKAGE…: has them all, by installing them if INSTALL is "yes", or says by `fail` what is missing.
need_packages() {
    local install=$1 missing
    shift
    if command -v dpkg-query >/dev/null; then
        mapfile -t missing < <(missing_packages "$@")
        ((${#missing[@]} > 0)) || return 0
        [[ $install == yes ]] || fail "missing Debian packages: ${missing[*]} ($0 --install installs them)"
        install_packages "${missing[@]}"
    elif [[ $install == yes ]]; then
        fail "--install is for Debian; elsewhere, install the like of: $*"
    fi
}
