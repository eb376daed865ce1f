"""Reads the argument of `lamplight exposure`: PACKAGE[==VERSION], or the file of an advisory."""

import json
import os
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from cloud_shim.cli.advisory import cve, osv
from cloud_shim.cli.advisory.affected import Affected, Rule, Specified, Subject
from device.errors import NotFoundError, UsageError
from device.libraries import normalised
from device.protocol.errors import ProtocolError
from device.protocol.fields import table

_MOST = 16 << 20  # bytes of an advisory


def read(asked: str) -> Subject:
    """The subject. A name with .json at its end, or with a folder's mark in it, is a file.

    Raises UsageError for anything but a package or an advisory, NotFoundError for a missing file.

    >>> read("Requests==2.31.0").packages[0].includes("2.31")
    True
    """
    return _file(Path(asked)) if asked.endswith(".json") or os.sep in asked else _package(asked)


def _package(asked: str) -> Subject:
    try:
        wanted = Requirement(asked)
    except InvalidRequirement as error:
        why = str(error).partition("\n")[0]
        raise UsageError(f"{asked[:80]!r} is no package", why, "PACKAGE, PACKAGE==VERSION or a file") from None
    if wanted.extras or wanted.marker or wanted.url:
        raise UsageError(f"{asked[:80]!r} asks for more than a package and its versions", "", "PACKAGE==VERSION")
    rule = Rule(Specified(wanted.specifier))
    return Subject(asked, "", (Affected(normalised(wanted.name), (rule,)),))


def _file(path: Path) -> Subject:
    record = _json(path)
    try:
        if "cveMetadata" in record:
            return cve.read(record)
        if "affected" in record:
            return osv.read(record)
    except ProtocolError as error:
        raise UsageError(f"{path} cannot be read as an advisory", str(error)) from None
    raise UsageError(
        f"{path} is no advisory", "it is neither an OSV record nor a CVE record of version 5", "fetch it from osv.dev"
    )


def _json(path: Path) -> dict[str, object]:
    try:
        if path.stat().st_size > _MOST:
            raise UsageError(f"{path} is no advisory", f"it has more than {_MOST} bytes")
        return table(json.loads(path.read_text("utf-8-sig")), str(path))
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"There is no file {path}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path} cannot be read as JSON", str(error)) from None
