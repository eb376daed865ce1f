#!/bin/sh
# Installs the agent from the folder that this script is in. Run by the first boot as root, with no network; a second
# run gives the same result. ROOT is where the system is, "" but in tests.
set -eu
here=$(dirname "$(readlink -f "$0")")
ROOT=${1:-}
fail() { echo "lamplight: $1" >&2; exit 1; }

python=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
agent="agent-$python.tar.xz"
[ -f "$here/$agent" ] || fail "this card brings no agent for Python $python; it has: $(cd "$here" && echo agent-*.tar.xz)"
(cd "$here" && sha256sum --check --quiet SHA256SUMS) || fail "the card is damaged; write the image again"

id -u lamplight >/dev/null 2>&1 ||
    useradd --system --home-dir /var/lib/lamplight --shell /usr/sbin/nologin lamplight
for group in gpio i2c; do
    if getent group "$group" >/dev/null; then usermod -a -G "$group" lamplight; fi
done

# The old agent stays until the new one is whole.
rm -rf "$ROOT/opt/lamplight.new"
mkdir -p "$ROOT/opt/lamplight.new"
python3 -m tarfile -e "$here/$agent" "$ROOT/opt/lamplight.new"
# The service may not write there; without this each of its starts would compile everything it imports.
python3 -m compileall -q -j 0 "$ROOT/opt/lamplight.new" >&2 || true
rm -rf "$ROOT/opt/lamplight"
mv "$ROOT/opt/lamplight.new" "$ROOT/opt/lamplight"

# Identity: missing from the card when an earlier run has taken it.
state="$ROOT/var/lib/lamplight"
install -d -m 0700 -o lamplight -g lamplight "$state" "$state/roots" "$state/state"
for file in agent.toml password ca.pem roots/director-root.json roots/image-root.json; do
    if [ -f "$here/$file" ]; then install -m 0600 -o lamplight -g lamplight "$here/$file" "$state/$file"; fi
done
sync
# FAT has no permissions, and a card is easily read elsewhere.
rm -f "$here/password"
if [ -f "$ROOT/etc/fstab" ]; then
    sed -i '/[[:space:]]vfat[[:space:]]/{/umask=/!s/defaults/defaults,umask=0077/}' "$ROOT/etc/fstab"
fi

mkdir -p "$ROOT/etc/modules-load.d" "$ROOT/etc/systemd/system"
echo i2c-dev >"$ROOT/etc/modules-load.d/lamplight.conf"
install -m 0644 "$here/lamplight.service" "$ROOT/etc/systemd/system/lamplight.service"
systemctl enable lamplight.service
# Under firstrun.sh the system starts again by itself, and the agent with it.
if systemctl is-active --quiet multi-user.target || systemctl is-active --quiet cloud-final.service; then
    modprobe i2c-dev || true
    systemctl restart --no-block lamplight.service
fi
