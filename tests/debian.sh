# Debian's packages, for run-tests and benches/run: which are missing, and how they are installed. Sourced, never run.
#
# What is installed stays, so --install is for a throw-away machine: a container, a virtual machine. All the same it
# removes no package, and leaves no service behind that runs, now or after the next boot.
# shellcheck shell=bash

# Another system's root, for tests of this file.
debian_root=${debian_root-}

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

# Ends if apt would remove a package for these: on a mail host, Postfix takes the place of exim4.
refuse_removals() {
    local planned removed
    planned=$(LC_ALL=C apt-get -s -q install --no-install-recommends "$@" 2>&1) ||
        fail "apt-get cannot install $*: $planned"
    removed=$(sed -n 's/^\(Remv\|Purg\) \([^ ]*\).*/\2/p' <<<"$planned" | sort -u | paste -sd ' ')
    [[ -z $removed ]] ||
        fail "nothing was installed: $* would remove $removed from this machine; take a throw-away machine"
}

# Debian starts the daemons that it installs, unless this file forbids it (invoke-rc.d(8)). One that is there already
# is the machine's own and stays; it has to forbid as well.
policy=$debian_root/usr/sbin/policy-rc.d
forbid_daemons() {
    local answer=0
    if [[ -e $policy ]]; then
        "$policy" otab-tests start >/dev/null 2>&1 || answer=$?
        ((answer == 101)) || fail "nothing was installed: this machine's $policy lets new services start; move it away"
        return
    fi
    own_policy=yes
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
}

# By these links services start at the next boot: systemd's, which `systemctl enable` makes, and those of update-rc.d. (A
# link to /dev/null is the opposite.) They are there in a chroot and without systemd, too.
links_of_boot() {
    find "$debian_root"/etc/systemd/system "$debian_root"/etc/systemd/user -type l ! -lname /dev/null 2>/dev/null || true
    find "$debian_root"/etc/rc[0-9S].d -name 'S[0-9][0-9]*' 2>/dev/null || true
}

# Disables what starts since links were noted in $links_before, and nothing else.
disable_new_services() {
    local new link
    mapfile -t new < <(comm -13 <(sort <<<"$links_before") <(links_of_boot | sort))
    ((${#new[@]} > 0)) || return 0
    for link in "${new[@]}"; do
        case $link in
            */rc[0-9S].d/*) as_root mv -f "$link" "${link%/*}/K${link##*/S}" ;; # as update-rc.d NAME disable
            *) as_root rm -f "$link" ;;                                         # as systemctl disable
        esac
    done
    printf 'disabled again, since the install enabled them: %s\n' \
        "$(printf '%s\n' "${new[@]##*/}" | sed 's/^S[0-9][0-9]//' | sort -u | paste -sd ' ')" >&2
    if [[ -d $debian_root/run/systemd/system ]]; then as_root systemctl daemon-reload; fi
}

# However the install has ended.
settle_install() {
    trap - EXIT
    disable_new_services
    if [[ $own_policy == yes ]]; then as_root rm -f "$policy"; fi
}

install_packages() {
    ((EUID == 0)) || command -v sudo >/dev/null || fail "--install needs root or sudo"
    # apt's words go to standard error: standard output belongs to the caller.
    as_root apt-get update -q >&2
    refuse_removals "$@"
    own_policy=no
    links_before=$(links_of_boot)
    trap settle_install EXIT
    forbid_daemons
    # needrestart would restart daemons of the machine's own.
    as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
        apt-get install -q -y --no-remove --no-install-recommends "$@" >&2 ||
        fail "apt-get could not install $*"
    settle_install
}

# need_packages INSTALL PACKAGE…: has them all, by installing them if INSTALL is "yes", or says by `fail` what is missing.
need_packages() {
    local install=$1 missing
    shift
    if command -v dpkg-query >/dev/null; then
        mapfile -t missing < <(missing_packages "$@")
        ((${#missing[@]} > 0)) || return 0
        [[ $install == yes ]] ||
            fail "missing Debian packages: ${missing[*]} ($0 --install installs them, on a throw-away machine)"
        install_packages "${missing[@]}"
    elif [[ $install == yes ]]; then
        fail "--install is for Debian; elsewhere, install the like of: $*"
    fi
}
