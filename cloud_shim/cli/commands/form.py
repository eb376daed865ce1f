"""A packed folder in the form that a device's agent reads: one from before 0.2 knows no x bit and no long names.

`deploy` and `dev` send it. Packing itself is packing.py's.
"""

from pathlib import Path

from cloud_shim.cli.options import Options
from cloud_shim.cli.release.packing import pack
from device.artifact import archive
from device.protocol import reported


def for_agent(options: Options, packed: bytes, folder: Path, device: str) -> bytes:
    """`packed`, which is the checked function or model of `folder`, in the form that this device's agent reads.

    An older agent gets it without x bits, and a person is told. Raises BadArtifactError for names that such an agent
    cannot take.
    """
    if archive.form(packed) == 1:
        return packed
    report = reported.known(options.client.device(device)["reported"])
    if report is None or report.archive >= archive.FORMAT:
        return packed
    plain = pack(folder, plain=True)
    options.terminal.say(
        f"the agent of {device} is older than 0.2: no file of the function can be run there, before "
        f"`lamplight upgrade {device}` and another deployment"
    )
    return plain
