"""The checks of the shim's side, in the order of the report."""

import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from cloud_shim.cli.client import Client
from cloud_shim.cli.doctor import broker, database, devices, folders, keys
from device.doctor import disk
from device.doctor.broker import PATIENCE
from device.doctor.check import Check
from device.doctor.libraries import python


def checks(cloud: Path, client: Client) -> list[Check]:
    """The checks of the folder `cloud`, where the broker and the shim keep everything, and of the shim at `client`."""
    return [
        Check("python.version", python),
        Check("disk.writable", partial(disk.writable, cloud)),
        Check("disk.free", partial(disk.free, cloud)),
        Check("folders.cloud", partial(folders.folder, cloud)),
        Check("folders.signing", partial(folders.folder, cloud / "signing")),
        Check("folders.secrets", lambda: folders.closed(folders.secrets(cloud))),
        Check("database.opens", partial(database.opens, cloud / "shim.db")),
        Check("database.whole", partial(database.whole, cloud / "shim.db"), database.PATIENCE),
        *_keys(cloud / "signing"),
        *_broker(cloud),
        Check("shim.answers", partial(devices.shim, client)),
        Check("shim.shares", partial(devices.shares, client)),
        Check("devices", lambda: devices.findings(client, time.time()), 60.0),
    ]


def _keys(signing: Path) -> list[Check]:
    return [
        Check("keys.readable", partial(keys.readable, signing / "keys")),
        Check("keys.image", lambda: keys.signed(signing / "image.json", time.time())),
        Check("keys.director", lambda: keys.signed(signing / "director.json", time.time())),
        *(_device_keys(path) for path in sorted((signing / "devices").glob("*.json"))),
    ]


def _device_keys(path: Path) -> Check:
    return Check(f"keys.devices.{path.stem}", lambda: keys.signed_for_device(path, time.time()))


def _broker(cloud: Path) -> list[Check]:
    files = [
        Check("broker.program", broker.program),
        Check("broker.settings", partial(broker.settings, cloud)),
        Check("broker.certificate", lambda: broker.certificate(cloud, datetime.now(UTC))),
    ]
    way = broker.steps(cloud)
    if way is None:
        return files
    return [
        *files,
        Check("broker.resolves", way.resolves),
        Check("broker.reachable", way.reachable),
        Check("broker.accepts", way.accepts, 2 * PATIENCE + 5),
    ]
