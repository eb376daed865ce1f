"""The shim's knowledge, in the JSON forms of docs/api.md: DEVICE, RELEASE and RECORD. Pure."""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from cloud_shim.fleet.members import LIFETIME
from cloud_shim.fleet.silence import is_silent
from cloud_shim.releases.release import Release
from cloud_shim.tables import CredentialRow, DeviceRow, FailureRow, RecordRow, ReportRow
from device.protocol import withdrawn
from device.protocol.deployment import Deployment, decode
from device.protocol.withdrawn import Withdrawal

Json = dict[str, object]


class Aftermath(NamedTuple):
    """The failures on a device still to be asked for anew, and the generations living on as another one."""

    failed: Sequence[FailureRow] = ()
    continued: Mapping[int, int] = MappingProxyType({})


def device(
    row: DeviceRow,
    desired: Deployment,
    report: ReportRow | None,
    credential: CredentialRow | None,
    by: str,
    aftermath: Aftermath,
    listening: float | None,
    now: float,
    withdrawals: Sequence[Withdrawal] = (),
) -> Json:
    """DEVICE. While the broker is away (`listening` None) every device counts as offline.

    `by` names whoever asked for `desired`; `withdrawals` are all of the fleet's. `listening` is since when the shim has
    been hearing the devices; it and `now` are in seconds since 1970.
    """
    silent = is_silent(row.online, row.last_seen, listening, now)
    return {
        "name": row.name,
        "board": row.board,
        "simulated": row.simulation is not None,
        "online": row.online and listening is not None and not silent,
        "silent": silent,
        "last_seen": row.last_seen,
        "revoked": credential is not None and credential.revoked,
        "password_until": credential.made + LIFETIME if credential and not credential.revoked else None,
        "desired": {**_desired(desired), "by": by},
        "withdrawn": _withdrawn(desired, withdrawals),
        "withdrawals": len(withdrawals),
        "failed": [_failure(each) for each in aftermath.failed],
        "continued": {str(generation): successor for generation, successor in aftermath.continued.items()},
        "reported": json.loads(report.body) if report else None,
    }


def heeding(
    name: str, document: str | None, report: str | None, revoked: bool | None, withdrawals: Sequence[Withdrawal]
) -> Json:
    """The parts of DEVICE about withdrawals; `document` is the deployment it should run, `report` its last one."""
    return {
        "name": name,
        "revoked": bool(revoked),
        "withdrawn": _withdrawn(decode(document.encode()), withdrawals) if document else [],
        "withdrawals": len(withdrawals),
        "reported": json.loads(report) if report else None,
    }


def release(each: Release) -> Json:
    """RELEASE."""
    return {
        "kind": each.kind,
        "name": each.name,
        "version": each.version,
        "sha256": each.sha256,
        "length": each.length,
        "created": each.created,
        "by": each.by,
    }


def record(row: RecordRow) -> Json:
    """RECORD: the device's own words, under the shim's facts; the device cannot name itself otherwise."""
    return {
        **json.loads(row.body),
        "id": row.id,
        "device": row.device,
        "stream": row.stream,
        "boot": row.boot,
        "seq": row.seq,
        "time": row.time,
        "received": row.received,
        "kind": row.kind,
    }


def _layer(deployment: Deployment, function: str) -> Json:
    layer = deployment.layers.get(function)
    return {"layer": {"name": layer.name, "version": layer.version}} if layer else {}


def _withdrawn(deployment: Deployment, withdrawals: Sequence[Withdrawal]) -> list[Json]:
    """The deployment's releases that were withdrawn."""
    found = ((ref, withdrawn.of(list(withdrawals), ref)) for ref in deployment.artifacts())
    return [{**withdrawal.to_json(), "version": ref.version} for ref, withdrawal in found if withdrawal]


def _failure(row: FailureRow) -> Json:
    """FAILED."""
    return {
        "kind": row.kind,
        "name": row.name,
        "version": row.version,
        "generation": row.generation,
        "state": row.state,
        "reason": row.reason,
        "time": row.time,
    }


def _desired(deployment: Deployment) -> Json:
    return {
        "generation": deployment.generation,
        "functions": {
            name: {"version": ref.version, "config": deployment.config.get(name, {}), **_layer(deployment, name)}
            for name, ref in deployment.functions.items()
        },
        "models": {name: {"version": ref.version} for name, ref in deployment.models.items()},
        "agent": {"version": deployment.agent.version, "sha256": deployment.agent.digest} if deployment.agent else None,
    }
