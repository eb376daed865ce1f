"""The parts of a `function.toml` for handlers written for a cloud: `runtime`, `[cloud]` and `[environment]`.

It reads and checks them. Their events and contexts are made on the device (device/runtime/worker/clouds).
"""

from .errors import ProtocolError
from .fields import items, only, table, text
from .triggers import METHODS

PLAIN, AWS, TENCENT = RUNTIMES = ("python3", "aws-lambda", "tencent-scf")
PAYLOADS = ("2.0", "1.0")
# The forms of a message, by runtime; the first is the default.
MESSAGES = {AWS: ("sqs", "sns", "iot"), TENCENT: ("cmq", "ckafka")}
ANY = "ANY"
_MOST_ROUTES = 200
# The board sets these: they name the only folder a function may write to.
_BOARDS = ("HOME", "TMPDIR")
_WHERE = "function.toml.cloud"


class Cloud:
    """The forms that a handler from the cloud expects.

    `payload` is the version of API Gateway's events, `messages` the service whose events a message looks like.
    `routes` are the templates of its paths, as "GET /items/{id}".
    """

    def __init__(self, payload: str = PAYLOADS[0], messages: str = "", routes: tuple[str, ...] = ()) -> None:
        self.payload = payload
        self.messages = messages
        self.routes = routes


def runtime(fields: dict[str, object], where: str) -> str:
    """The runtime; raises ProtocolError for one unknown here, as an older agent does for these of the cloud."""
    value = text(fields, "runtime", where, PLAIN)
    if value not in RUNTIMES:
        raise ProtocolError(f"{where}.runtime: {value!r} is unknown; known are {', '.join(RUNTIMES)}")
    return value


def handler(value: str) -> tuple[str, str]:
    """Module and function of "app.lambda_handler", or of "src/app.lambda_handler"."""
    module, dot, attribute = value.replace("/", ".").rpartition(".")
    # As in the cloud, a file may be called `my-app.py`.
    parts = [part.replace("-", "_") for part in module.split(".")]
    if not dot or not attribute.isidentifier() or not all(part.isidentifier() for part in parts):
        raise ProtocolError(
            f"function.toml.handler: {value!r} is not of the form 'module.function', as this runtime has it"
        )
    return module, attribute


def cloud(fields: dict[str, object], runtime: str) -> Cloud:
    """The table `[cloud]`, or its defaults."""
    if runtime == PLAIN:
        if "cloud" in fields:
            raise ProtocolError(f"{_WHERE}: is for handlers from the cloud; runtime is {PLAIN!r}")
        return Cloud()
    told = table(fields.get("cloud", {}), _WHERE)
    known = ("payload", "messages", "routes") if runtime == AWS else ("messages", "routes")
    only(told, known, _WHERE)
    return Cloud(
        _one_of(told, "payload", PAYLOADS),
        _one_of(told, "messages", MESSAGES[runtime]),
        _routes(items(told.get("routes", []), f"{_WHERE}.routes")),
    )


def environment(fields: dict[str, object]) -> dict[str, str]:
    """The variables in the table `[environment]`."""
    where = "function.toml.environment"
    told = table(fields.get("environment", {}), where)
    for name, value in told.items():
        if not name.isidentifier() or not name.isascii():
            raise ProtocolError(f"{where}: {name!r} is not a variable's name; use letters, digits and '_'")
        if name in _BOARDS:
            raise ProtocolError(f"{where}.{name}: the board sets it, to the function's scratch folder")
        if not isinstance(value, str):
            raise ProtocolError(f'{where}.{name}: a variable is text; write {name} = "{_written(value)}"')
        if "\0" in value or not _encodes(value):
            raise ProtocolError(f"{where}.{name}: has a character that no variable can have")
    return {name: text(told, name, where) for name in told}


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else "…"


def _encodes(value: str) -> bool:
    try:
        return bool(value.encode()) or not value
    except UnicodeEncodeError:
        return False


def _one_of(fields: dict[str, object], key: str, known: tuple[str, ...]) -> str:
    value = text(fields, key, _WHERE, known[0])
    if value not in known:
        raise ProtocolError(f"{_WHERE}.{key}: {value!r} is unknown; known are {', '.join(known)}")
    return value


def _routes(routes: list[object]) -> tuple[str, ...]:
    if len(routes) > _MOST_ROUTES:
        raise ProtocolError(f"{_WHERE}.routes: at most {_MOST_ROUTES}")
    return tuple(_route(each) for each in routes)


def _route(value: object) -> str:
    """One template. A name in braces stands for one part of the path, `{name+}` for all parts from there on."""
    method, _, path = value.partition(" ") if isinstance(value, str) else ("", "", "")
    parts = path.split("/")
    fine = method in (ANY, *METHODS) and path.startswith("/") and len(path) <= 200
    if not fine or not all(_is_part(part, number == len(parts) - 1) for number, part in enumerate(parts)):
        raise ProtocolError(
            f"{_WHERE}.routes: {value!r} is not a route; write 'GET /items/{{id}}', or 'ANY /{{proxy+}}'"
        )
    return f"{method} {path}"


def _is_part(part: str, last: bool) -> bool:
    if "{" not in part and "}" not in part:
        return " " not in part
    name = part[1:-1] if part.startswith("{") and part.endswith("}") else ""
    if name.endswith("+") and last:
        name = name[:-1]
    return name.replace("-", "_").replace(".", "_").isidentifier()
