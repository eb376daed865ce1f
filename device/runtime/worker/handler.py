"""Finds the handler in a bundle, and explains its errors to a person.

Runs in the worker. It imports the user's code; calling it is left to others.
"""

import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from device.errors import BadArtifactError, LamplightError
from device.event import Event
from device.runtime.worker import remedies
from device.runtime.worker.context import Context
from device.runtime.worker.names import Names, spelled

Handler = Callable[[Event, Context], object]
# Of the user's own frames in an error report: the innermost ones.
MAX_FRAMES = 6
MAX_TEXT = 4000


def find(names: Names, module: str, attribute: str) -> Callable[..., object]:
    """Import `module` from the function's folder and return its `attribute`.

    Raises BadArtifactError when it is missing, or when Python has a module of this name that no file can replace.
    Errors of the import pass through.
    """
    sys.dont_write_bytecode = True
    loaded = names.load(module)
    if names.bundle not in Path(loaded.__file__ or "/").parents:
        raise BadArtifactError(
            f"the module {module!r} is not the bundle's",
            f"the name is taken by {loaded.__file__ or 'Python'}",
            "rename the file",
        )
    handler = getattr(loaded, attribute, None)
    if not callable(handler):
        raise BadArtifactError(
            f"the module {module!r} has no function {attribute!r}",
            "function.toml's handler names it",
            f"define {attribute}(event, context) in {module}.py",
        )
    return handler


def explain(error: BaseException, names: Names, network: bool = True) -> str:
    """`error` for a person: its text, a likely cure, and its place in the bundle.

    The runtime's own frames are left out. `network` says whether the function may use the network.
    """
    bundle = names.bundle
    try:
        report = traceback.TracebackException.from_exception(error)
        what = str(error) if isinstance(error, LamplightError) else "".join(report.format_exception_only()).rstrip()
        cure = remedies.remedy(error, names.own, network)
        mine = [frame for frame in report.stack if bundle in Path(frame.filename).parents]
        places = [_place(frame, bundle) for frame in mine[-MAX_FRAMES:]]
        text = "\n".join([spelled(what), *([f"  ({cure})"] if cure else []), *places])
    except Exception:
        # A hostile exception may raise in its own __str__.
        text = type(error).__name__
    return shorten(text)


def _place(frame: traceback.FrameSummary, bundle: Path) -> str:
    return f"  {Path(frame.filename).relative_to(bundle)}:{frame.lineno} in {frame.name}: {frame.line}"


def shorten(text: str) -> str:
    """At most MAX_TEXT characters of `text`; lone surrogates, impossible to send, are replaced."""
    return text[:MAX_TEXT].encode(errors="replace").decode()
