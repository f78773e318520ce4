# Sourced: how this host reaches Debian's archive, for roots that are made of it.
# shellcheck shell=bash

# The mirror that this host's apt uses.
apt_mirror() {
    local mirror
    mirror=$(apt-get indextargets --format '$(SITE)|$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' \
        'Label: Debian' 2>/dev/null | sed -n '1s/.*|//p' || true)
    echo "${mirror:-http://deb.debian.org/debian}"
}

# Its settings for downloads.
apt_settings() {
    apt-config dump --format '%F "%v";%n' 2>/dev/null | grep -E '^Acquire::(https?|Check-|Retries)[^ ]* "..*"' || true
}
