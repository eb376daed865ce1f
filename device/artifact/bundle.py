"""Reads an unpacked function, model or agent and names its faults, in the same words wherever it is asked.

The CLI asks before packing, the shim before signing, the device before installing. Code is parsed, never run; questions
for a board or an ONNX runtime are asked there.
"""

import ast
import codecs
import difflib
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from device import texts
from device.artifact import agent, archive, layer, toml_hints
from device.artifact.agent import AgentManifest
from device.calendar import Calendar
from device.errors import BadArtifactError, NotFoundError, RejectedError
from device.infer import files
from device.protocol import manifest
from device.protocol.cloud import PLAIN
from device.protocol.deployment import AGENT_FILE
from device.protocol.errors import ProtocolError
from device.protocol.layer import LAYER_FILE, LayerManifest
from device.protocol.manifest import FunctionManifest
from device.protocol.model_manifest import ModelManifest
from device.protocol.triggers import CronTrigger

FUNCTION_FILE = "function.toml"
MODEL_FILE = "model.toml"
FILES = {"function": FUNCTION_FILE, "model": MODEL_FILE, "layer": LAYER_FILE, "agent": AGENT_FILE}
_MAX_MANIFEST = 64 * 1024
# Characters of a faulty line of code that an error shows.
_MAX_QUOTE = 200
_HANDLER_PARAMETERS = 2
# Of a web application that is a function (applications.py).
_ASGI = ["scope", "receive", "send"]
# A function's own files must keep clear of these modules' names: an import of one means the module here.
RESERVED = {
    "lamplight": "Lamplight's own: functions import Context and Event from it",
    "sys": "Python's own, which it has before it looks at any file",
    "builtins": "Python's own, which it has before it looks at any file",
    "__future__": "Python's own, which its compiler reads",
}

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign | ast.alias


def kind(folder: Path) -> str:
    """Whether `folder` is a "function", "model", "layer" or "agent"; raises NotFoundError for any other folder."""
    for name, file in FILES.items():
        if (folder / file).is_file():
            return name
    for name in (FUNCTION_FILE, MODEL_FILE):
        if near := near_miss(folder, name):
            raise NotFoundError(f"{folder} has no {name}", f"there is {near!r}", f"Rename it to {name}")
    raise NotFoundError(f"{folder} has no {FUNCTION_FILE} and no {MODEL_FILE}", "", "Make one with `lamplight new`")


def near_miss(folder: Path, name: str) -> str:
    """The file in `folder` probably meant to be `name` ("Function.toml", "main.py.txt"); "" for none."""
    try:
        there = sorted(each.name for each in folder.iterdir() if each.is_file() and each.name != name)
    except OSError:
        return ""
    # Explorer and many editors hide or add an ending.
    meant = {each.lower().removesuffix(".txt"): each for each in there}
    found = difflib.get_close_matches(name, meant, n=1, cutoff=0.8)
    return meant[found[0]] if found else ""


def _instead(folder: Path, name: str, attribute: str) -> tuple[str, str]:
    """The words for the file in `folder` that is there instead of `name`, and the remedy; empty without one."""
    if near := near_miss(folder, name):
        return f"; there is {near!r}", f"Rename it to {name}"
    code = [each.name for each in folder.glob("*.py") if each.is_file() and each.stem.isidentifier()]
    if len(code) != 1:
        return "", ""
    return f"; there is {code[0]!r}", f'Write handler = "{Path(code[0]).stem}:{attribute}" into function.toml'


def read(folder: Path) -> FunctionManifest | ModelManifest | LayerManifest | AgentManifest:
    """The manifest of the function, model, layer or agent in `folder`, once everything about it is checked."""
    readers = {
        "function": read_function,
        "model": read_model,
        "layer": layer.read,
        "agent": agent.read,
    }
    return readers[kind(folder)](folder)


def read_function(folder: Path, names: Collection[str] | None = None) -> FunctionManifest:
    """The function's manifest, once everything about it is checked; raises BadArtifactError.

    `names` are its files; without it, all that archive.py would pack.
    """
    function = declared(folder)
    check_code(folder, function, names)
    return function


def declared(folder: Path) -> FunctionManifest:
    """The manifest of the function in `folder`, checked; its code is not looked at. Raises BadArtifactError."""
    function = _manifest(folder / FUNCTION_FILE)
    check_schedules(function)
    return function


def check_code(folder: Path, function: FunctionManifest, names: Collection[str] | None = None) -> None:
    """Raise BadArtifactError, with the file and the line, for code that fails to compile or lacks the handler.

    Looks only at the files `names`, as read_function does.
    """
    names = archive.files(folder) if names is None else names
    _check_modules(names)
    for name in names:
        if name.endswith(".py"):
            _syntax(folder / name, name)
    _check_handler(folder, function)


def read_model(folder: Path) -> ModelManifest:
    """The manifest of the model in `folder`; raises BadArtifactError. The model itself is tried elsewhere."""
    return files.check_files(folder)


def settings(function: FunctionManifest, config: Mapping[str, object]) -> dict[str, object]:
    """The function's configuration with the operator's `config` over it.

    Raises RejectedError for a key unknown to the function: a misspelt one must not pass in silence.
    """
    for key in config:
        if key not in function.config:
            known = ", ".join(sorted(function.config)) or "none"
            raise RejectedError(f"{function.name} has no setting {key!r}", f"known are: {known}", "Check the spelling")
    return {**function.config, **config}


def check_schedules(function: FunctionManifest) -> None:
    """Raise BadArtifactError for a trigger's schedule or time zone that cannot be used here."""
    for trigger in function.triggers:
        if isinstance(trigger, CronTrigger):
            Calendar(trigger.schedule, trigger.zone)


def _manifest(path: Path) -> FunctionManifest:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_MANIFEST + 1)
    except FileNotFoundError:
        raise BadArtifactError(f"{path.name} is missing") from None
    if len(data) > _MAX_MANIFEST:
        raise BadArtifactError(f"{path.name} is too long", f"at most {_MAX_MANIFEST} bytes")
    text = ""
    try:
        text = texts.decoded(data)
        return manifest.function(tomllib.loads(text))
    except ProtocolError as error:
        raise BadArtifactError(toml_hints.told(error, text)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadArtifactError(f"{path.name} is not TOML", str(error)) from None


def _check_modules(names: Collection[str]) -> None:
    """Raise BadArtifactError for a module no import can reach under its name."""
    for name in names:
        module = name.removesuffix("/__init__.py").removesuffix(".py")
        if name.endswith(".py") and module in RESERVED:
            raise BadArtifactError(
                f"{name} cannot be imported", f"the name {module} is {RESERVED[module]}", "Rename it"
            )
        if name.endswith("/__init__.py") and f"{module}.py" in names:
            raise BadArtifactError(
                f"{module}.py cannot be imported", f"the folder {module} has its name and goes first", "Rename one"
            )


def _syntax(path: Path, name: str) -> ast.Module:
    try:
        source = path.read_bytes()
        if source.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise BadArtifactError(f"{name} is UTF-16", "Python reads UTF-8", "Save it as UTF-8 in your editor")
        # Compiled as well as parsed: some errors, such as a `return` outside a function, show only here. Compiling runs
        # nothing.
        compile(source, name, "exec", dont_inherit=True)
        return ast.parse(source, name)
    except SyntaxError as error:
        where = f"{name}, line {error.lineno}" if error.lineno else name
        raise BadArtifactError(f"{where}: {error.msg}", (error.text or "").strip()[:_MAX_QUOTE]) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise BadArtifactError(f"{name} cannot be compiled", str(error) or "it is nested too deeply") from None


def _check_handler(folder: Path, function: FunctionManifest) -> None:
    base = "/".join(function.module.split("."))
    names = (f"{base}.py", f"{base}/__init__.py")
    found = next((name for name in names if (folder / name).is_file()), None)
    handler = f"{function.module}{':' if function.runtime == PLAIN else '.'}{function.attribute}"
    if found is None:
        there, remedy = _instead(folder, names[0], function.attribute)
        raise BadArtifactError(f"The handler {handler} is missing", f"there is no file {names[0]}{there}", remedy)
    tree = _syntax(folder / found, found)
    definitions = [each for names, each in _definitions(tree.body) if function.attribute in names or "*" in names]
    if not definitions:
        raise BadArtifactError(
            f"The handler {handler} is missing",
            f"{found} does not define {function.attribute!r} at its top level",
            f"Write `def {function.attribute}(event, context):` there",
        )
    _check_signature(handler, definitions[-1], [each.kind for each in function.triggers])


def _check_signature(handler: str, definition: _Definition, triggers: list[str]) -> None:
    # A decorator may change the parameters.
    if not isinstance(definition, (ast.FunctionDef, ast.AsyncFunctionDef)) or definition.decorator_list:
        return
    if _yields(definition) and set(triggers) != {"http"}:
        raise BadArtifactError(
            f"The handler {handler} is a generator",
            "only the answer to an HTTP request comes in parts",
            "write `return`, or leave it only triggers of type http",
        )
    arguments = definition.args
    if [each.arg for each in (*arguments.posonlyargs, *arguments.args)] == _ASGI:
        return
    most = len(arguments.posonlyargs) + len(arguments.args)
    required = [name for name, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if not default]
    enough = most >= _HANDLER_PARAMETERS or arguments.vararg
    if required or not enough or most - len(arguments.defaults) > _HANDLER_PARAMETERS:
        raise BadArtifactError(f"The handler {handler} has other parameters", "it is called as handler(event, context)")


def _yields(definition: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether there is a `yield` in the function itself, rather than only in a nested one."""
    inside: list[ast.AST] = [*definition.body]
    while inside:
        node = inside.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return True
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            inside += ast.iter_child_nodes(node)
    return False


def _definitions(body: list[ast.stmt]) -> Iterator[tuple[list[str], _Definition]]:
    """The names given by a module's top level, each with its definition; blocks such as `if` and `try` belong to it."""
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield [statement.name], statement
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
            yield [each.id for each in ast.walk(statement) if isinstance(each, ast.Name)], statement
        elif isinstance(statement, (ast.Import, ast.ImportFrom)):
            yield from (([alias.asname or alias.name], alias) for alias in statement.names)
        else:
            for block in ("body", "orelse", "finalbody"):
                yield from _definitions(getattr(statement, block, []))
            for handler in getattr(statement, "handlers", []):
                yield from _definitions(handler.body)
