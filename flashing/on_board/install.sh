#!/bin/sh
# Installs the agent from the folder that this script is in, or upgrades it. Run as root: by a card's first boot, with
# no network, or by `flash.py ssh` and `flash.py local`. A second run gives the same result. ROOT is where the system is,
# "" but in tests. What it changes beside its own files is written to /etc/lamplight/changed, for remove.sh.
set -eu
here=$(dirname "$(readlink -f "$0")")
ROOT=${1:-}
fail() { echo "lamplight: $1" >&2; exit 1; }

python=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
agent="agent-$python.tar.gz"
[ -f "$here/$agent" ] || fail "this card brings no agent for Python $python; it has: $(cd "$here" && echo agent-*.tar.gz)"
(cd "$here" && sha256sum --check --quiet SHA256SUMS) || fail "the card is damaged; write the image again"

mkdir -p "$ROOT/etc/lamplight"
changed="$ROOT/etc/lamplight/changed"
touch "$changed"
chmod 0644 "$changed"
# Before it is done: what is recorded and was not done is harmless to undo.
record() { grep -qxF "$1" "$changed" || { echo "$1" >>"$changed"; sync "$changed"; }; }

if ! id -u lamplight >/dev/null 2>&1; then
    record "user lamplight"
    useradd --system --home-dir /var/lib/lamplight --shell /usr/sbin/nologin lamplight
fi
for group in gpio i2c; do
    if getent group "$group" >/dev/null && ! id -nG lamplight 2>/dev/null | tr ' ' '\n' | grep -qx "$group"; then
        record "member $group"
        usermod -a -G "$group" lamplight
    fi
done

# The old agent stays until the new one is whole and on the disk: a power cut leaves one or the other.
[ -d "$ROOT/opt" ] || record "folder opt"
rm -rf "$ROOT/opt/lamplight.new"
mkdir -p "$ROOT/opt/lamplight.new"
python3 -m tarfile -e "$here/$agent" "$ROOT/opt/lamplight.new"
echo "lamplight: the agent is unpacked, and is being compiled"
# The service may not write there; without this each of its starts would compile everything it imports.
python3 -m compileall -q -j 0 "$ROOT/opt/lamplight.new" >&2 || true
install -m 0755 "$here/remove.sh" "$ROOT/opt/lamplight.new/remove.sh"
sync
# RENAME_EXCHANGE of renameat2(2), which mv(1) has not got yet; not every file system can.
exchange='import ctypes, os, sys
sys.exit(ctypes.CDLL(None).renameat2(-100, os.fsencode(sys.argv[1]), -100, os.fsencode(sys.argv[2]), 2) != 0)'
if ! [ -d "$ROOT/opt/lamplight" ] || ! python3 -c "$exchange" "$ROOT/opt/lamplight.new" "$ROOT/opt/lamplight"; then
    rm -rf "$ROOT/opt/lamplight"
    mv "$ROOT/opt/lamplight.new" "$ROOT/opt/lamplight"
fi
rm -rf "$ROOT/opt/lamplight.new"

# Identity: missing from the card when an earlier run has taken it, and from an upgrade. A board that is to ask for a
# password has none.
state="$ROOT/var/lib/lamplight"
names() { sed -n '/^\(fleet\|device\) = /p' "$1"; }
version() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["signed"]["version"])' "$1" 2>/dev/null || echo 0; }
# A root that differs and is no later one is another fleet's, though it may have the same name.
other() {
    [ "$(names "$here/agent.toml")" = "$(names "$state/agent.toml")" ] || return 0
    given="$here/roots/director-root.json" kept="$state/roots/director-root.json"
    [ -f "$given" ] && [ -f "$kept" ] && ! cmp -s "$given" "$kept" && [ "$(version "$given")" -le "$(version "$kept")" ]
}
# What another device was asked to run, kept and had to tell is not this one's; and its count of generations would keep
# this one from believing any deployment.
if [ -f "$here/agent.toml" ] && [ -f "$state/agent.toml" ] && other; then
    systemctl stop lamplight.service || true
    rm -rf "$state/state"
fi
install -d -m 0700 -o lamplight -g lamplight "$state" "$state/roots" "$state/state"
if [ -f "$here/enrol" ]; then rm -f "$state/password"; fi
# The next password that the identity before had offered is not this one's.
if [ -f "$here/enrol" ] || [ -f "$here/password" ]; then rm -f "$state/password.next"; fi
for file in agent.toml password enrol token ca.pem roots/director-root.json roots/image-root.json; do
    if [ -f "$here/$file" ]; then install -m 0600 -o lamplight -g lamplight "$here/$file" "$state/$file"; fi
done
# Whose board it is, for who comes to upgrade it and is not root.
if [ -f "$here/agent.toml" ]; then
    sed -n '/^\(fleet\|device\|board\) = /p' "$here/agent.toml" >"$ROOT/etc/lamplight/device"
    chmod 0644 "$ROOT/etc/lamplight/device"
fi
sync
rm -f "$here/password" "$here/enrol" "$here/token"

fstab="$ROOT/etc/fstab"
case "$here" in */boot/*)
    # FAT has no permissions, and a card is easily read elsewhere.
    if [ -f "$fstab" ] && grep '[[:space:]]vfat[[:space:]].*defaults' "$fstab" | grep -qv umask=; then
        record "umask"
        sed -i '/[[:space:]]vfat[[:space:]]/{/umask=/!s/defaults/defaults,umask=0077/}' "$fstab"
    fi ;;
esac
config="$ROOT/boot/firmware/config.txt"
if [ -f "$config" ] && ! grep -q '^[[:space:]]*dtparam=i2c_arm=on' "$config"; then
    record "i2c"
    printf '[all]\n# For Lamplight.\ndtparam=i2c_arm=on\n' >>"$config"
    echo "lamplight: the I2C bus is on from the next start of the board"
fi

for folder in etc/modules-load.d etc/systemd/system etc/systemd/system.conf.d; do
    [ -d "$ROOT/$folder" ] || record "folder $folder"
    mkdir -p "$ROOT/$folder"
done
echo i2c-dev >"$ROOT/etc/modules-load.d/lamplight.conf"
# The hardware watchdog, where there is one: the board starts anew when the system hangs. A Raspberry Pi's counts to 15 s.
if [ -c "$ROOT/dev/watchdog" ] || [ -c "$ROOT/dev/watchdog0" ]; then
    printf '[Manager]\nRuntimeWatchdogSec=15s\nRebootWatchdogSec=2min\n' >"$ROOT/etc/systemd/system.conf.d/lamplight.conf"
fi
# The helper that gives functions users of their own is started through its socket. The agent comes last: it asks there.
for unit in lamplight-users@.service lamplight-users.socket lamplight.service; do
    install -m 0644 "$here/$unit" "$ROOT/etc/systemd/system/$unit"
done
systemctl daemon-reload || true
systemctl enable lamplight.service lamplight-users.socket
# A first boot that did not come to here starts again with the next.
sync
touch "$ROOT/etc/lamplight/installed"
# Under firstrun.sh the system starts again by itself, and the agent with it.
if systemctl is-active --quiet multi-user.target || systemctl is-active --quiet cloud-final.service; then
    modprobe i2c-dev || true
    systemctl restart --no-block lamplight-users.socket lamplight.service
fi
