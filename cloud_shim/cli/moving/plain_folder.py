"""Finds the cloud's handler in a folder of code without a description. It parses the code, and never runs it."""

import ast
from collections.abc import Iterator
from pathlib import Path

from cloud_shim.cli.moving.found import Found, Function, named
from device.errors import NotFoundError, UsageError
from device.protocol.cloud import AWS, TENCENT

# The names that the clouds' own consoles and tools give, with their runtime; the first file that has one wins a tie.
_HANDLERS = {"lambda_handler": AWS, "main_handler": TENCENT}
_FILES = ("lambda_function.py", "app.py", "index.py", "handler.py", "main.py")
_PARAMETERS = ["event", "context"]


def read(folder: Path, handler: str, runtime: str) -> Found:
    """The function in `folder`; `handler` and `runtime` say what the code alone cannot, or are "".

    Raises NotFoundError without a handler, UsageError for several.
    """
    if not handler:
        handler, guessed = _only(folder, list(_handlers(folder)))
        runtime = runtime or guessed
    runtime = runtime or _HANDLERS.get(handler.rpartition(".")[2], "")
    if not runtime:
        raise UsageError(f"{handler} may be any cloud's", "", f"--runtime {AWS}, or --runtime {TENCENT}")
    found = Found()
    found.functions.append(Function(named(folder.resolve().name), handler, runtime, folder))
    found.leave(0, "triggers", "the code does not say what starts it", "Write [[triggers]] in function.toml")
    return found


def _only(folder: Path, there: list[tuple[str, str]]) -> tuple[str, str]:
    sure = [each for each in there if each[1]]
    chosen = sure or there
    if not chosen:
        why = "no file in it defines lambda_handler, main_handler or another (event, context) at its top level"
        raise NotFoundError(f"{folder} has no handler", why, "--handler FILE.FUNCTION")
    if len(chosen) > 1:
        names = ", ".join(name for name, _ in chosen)
        raise UsageError(f"{folder} has several handlers", names, f"--handler {chosen[0][0]}")
    return chosen[0]


def _handlers(folder: Path) -> Iterator[tuple[str, str]]:
    """Each function with a handler's parameters in the folder's own files, with the runtime its name tells."""
    files = sorted(folder.glob("*.py"), key=lambda path: (path.name not in _FILES, path.name))
    for path in files:
        try:
            tree = ast.parse(path.read_bytes(), path.name)
        except (SyntaxError, ValueError, RecursionError):
            continue
        for each in tree.body:
            if isinstance(each, ast.FunctionDef) and _is_handler(each):
                yield f"{path.stem}.{each.name}", _HANDLERS.get(each.name, "")


def _is_handler(function: ast.FunctionDef) -> bool:
    if function.name in _HANDLERS:
        return True
    return [each.arg for each in function.args.args] == _PARAMETERS and not function.name.startswith("_")
