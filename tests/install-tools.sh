#!/bin/sh
# Installs what the tests need beyond Python packages: mosquitto with its clients, Chromium and its driver, what the
# benchmarks measure with and against (wrk and Node.js), mtools and mkfs.vfat for card images, for other processors
# QEMU's user emulation and mmdebstrap, and for the virtual board QEMU's Raspberry Pi and what makes its card.
# Debian and its relatives; elsewhere it says what is missing. Does nothing when all is there.
set -eu
PATH="$PATH:/usr/sbin"

missing=""
has() { command -v "$1" >/dev/null 2>&1; }
has mosquitto || missing="$missing mosquitto"
has mosquitto_sub || missing="$missing mosquitto-clients"
has chromium || has chromium-browser || has google-chrome || missing="$missing chromium"
has chromedriver || missing="$missing chromium-driver"
has mcopy || missing="$missing mtools"
has mkfs.vfat || missing="$missing dosfstools"
has wrk || missing="$missing wrk"
has node || missing="$missing nodejs"
has npm || missing="$missing npm"
has mmdebstrap || missing="$missing mmdebstrap"
has qemu-arm-static || missing="$missing qemu-user-static"
has qemu-system-aarch64 || missing="$missing qemu-system-arm"
has depmod || missing="$missing kmod"
has mke2fs || missing="$missing e2fsprogs"
has ssh-keygen || missing="$missing openssh-client"
[ -f /usr/share/keyrings/debian-archive-keyring.gpg ] || missing="$missing debian-archive-keyring"
[ -n "$missing" ] || exit 0

sudo=""
if [ "$(id -u)" -ne 0 ]; then sudo="sudo -n"; fi
if has apt-get && { [ -z "$sudo" ] || $sudo true 2>/dev/null; }; then
    echo "Installing for the tests:$missing" >&2
    $sudo apt-get update -qq
    # shellcheck disable=SC2086 # one word for each package
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >/dev/null
else
    echo "error: the tests need$missing. try: sudo apt-get install$missing" >&2
    exit 1
fi
