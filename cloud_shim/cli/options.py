"""The arguments shared by several commands: --url, --json, --debug, --device, --set and DEVICE/FUNCTION.

It only reads them; the commands act on them.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import click

from cloud_shim.cli import starters
from cloud_shim.cli.client import DEFAULT_URL, Client
from cloud_shim.cli.terminal import Terminal
from device.errors import NotFoundError, UsageError
from device.protocol import reported

_F = TypeVar("_F", bound=Any)


@dataclass
class Options:
    """The options of every command, before or after its name, with the client and terminal they open."""

    url: str = field(default_factory=lambda: os.environ.get("LAMPLIGHT_URL") or DEFAULT_URL)
    as_json: bool = False
    debug: bool = False

    @cached_property
    def client(self) -> Client:
        """The shim, connected to at first use."""
        return Client(self.url)

    @cached_property
    def terminal(self) -> Terminal:
        """Where data and progress go."""
        return Terminal(self.as_json)


class Command(click.Command):
    """A command with the common options beside its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += common_options()


def command(name: str, dashes: bool = False) -> Callable[[Callable[..., None]], Command]:
    """Makes a function the command `name`. It is given Options first, and then its own arguments.

    With `dashes` an argument may begin with one: a board without a serial number is "-/5f0a77c1".
    """
    settings = {"ignore_unknown_options": dashes}

    def wrap(function: Callable[..., None]) -> Command:
        return click.command(name, cls=Command, context_settings=settings)(click.pass_obj(function))

    return wrap


def common_options() -> list[click.Parameter]:
    """--url, --json and --debug, each kept in Options wherever on the line it stands."""

    def keep(field: str) -> Any:
        def callback(context: click.Context, _: click.Parameter, value: object) -> None:
            if value:
                setattr(context.ensure_object(Options), field, value)

        return callback

    return [
        click.Option(
            ["--url"],
            expose_value=False,
            callback=keep("url"),
            help=f"The shim's address (default {DEFAULT_URL}, or LAMPLIGHT_URL).",
        ),
        click.Option(
            ["--json"], is_flag=True, expose_value=False, callback=keep("as_json"), help="Give JSON on standard output."
        ),
        click.Option(
            ["--debug"], is_flag=True, expose_value=False, callback=keep("debug"), help="Show a traceback on an error."
        ),
    ]


def device_option(function: _F) -> _F:
    """Adds --device. It may be left out in a fleet of exactly one: see `choose_device`."""
    return click.option("--device", metavar="NAME", default="", help="The device; needed when there are several.")(
        function
    )


def choose_device(client: Client, name: str) -> str:
    """`name`, or for "" the only device; UsageError lists them when there are several."""
    return name or only_device([each["name"] for each in client.devices()])


def only_device(names: Sequence[str]) -> str:
    """The one name in `names`; NotFoundError when it is empty, UsageError for several."""
    if not names:
        raise NotFoundError("There is no device", "the shim knows none", "`lamplight up` starts a simulated one")
    if len(names) > 1:
        raise UsageError("No device is named", f"there are {', '.join(sorted(names))}", "name one of them")
    return names[0]


def warn(options: Options) -> None:
    """Show the fleet's notices: matters for a person to see to, beside the command's answer."""
    if not options.as_json:
        for notice in options.client.health()["notices"]:
            options.terminal.say(("warning: ", "bold yellow"), notice)


def parse_target(target: str) -> tuple[str, str]:
    """Device and function of "DEVICE" or "DEVICE/FUNCTION"; the function is "" in the first form."""
    device, _, function = target.partition("/")
    if "/" in function:
        raise UsageError(f"{target!r} is neither DEVICE nor DEVICE/FUNCTION", "it has more than one '/'")
    return device, function


def known_functions(device: dict[str, Any]) -> list[str]:
    """The functions asked for on a DEVICE, or running there."""
    report = reported.known(device["reported"])
    return sorted({*device["desired"]["functions"], *(report.functions if report else ())})


def no_function(device: str, function: str, known: Sequence[str]) -> NotFoundError:
    """The error for an unknown function: a misspelt name must not pass for a silent function."""
    return NotFoundError(f"{device} has no function {function!r}", f"it has: {', '.join(known) or 'none'}")


_WORDS = {**dict.fromkeys(("true", "yes", "on"), True), **dict.fromkeys(("false", "no", "off"), False)}


def parse_config(pairs: Sequence[str], declared: Mapping[str, object]) -> dict[str, object] | None:
    """The configuration in `--set key=value …`; None for an empty list.

    The type of the setting in function.toml (`declared`) decides: `code=1234` is text where the setting is text. A
    setting of another type, or an undeclared one, is JSON where it parses as JSON, else text. Raises UsageError.
    """
    settings: dict[str, object] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError(f"--set {pair!r} sets nothing", "it is not of the form key=value", "--set threshold=200")
        settings[key] = _typed(key, value, declared.get(key))
    return settings or None


def _typed(key: str, value: str, default: object) -> object:
    found = _json(value)
    if isinstance(default, str):
        return found if isinstance(found, str) else value
    if isinstance(default, bool):
        if value.lower() not in _WORDS:
            raise UsageError(f"--set {key}={value}", f"{key} is yes or no", f"--set {key}=true")
        return _WORDS[value.lower()]
    if isinstance(default, (int, float)) and (not isinstance(found, (int, float)) or isinstance(found, bool)):
        raise UsageError(f"--set {key}={value}", f"{key} is a number", f"--set {key}={default}")
    if type(default) in (list, dict) and type(found) is not type(default):
        kind = "list" if type(default) is list else "table"
        raise UsageError(f"--set {key}={value}", f"{key} is a {kind}", f"--set '{key}={json.dumps(default)}'")
    if isinstance(default, int) and isinstance(found, float) and found.is_integer():
        return int(found)
    return found


def _json(value: str) -> object:
    try:
        return json.loads(value, parse_constant=lambda _: value)
    except (ValueError, RecursionError):
        return value


def existing_folder(path: str) -> Path:
    """`path` as a folder; NotFoundError for anything else."""
    folder = Path(path)
    if not folder.is_dir():
        why = "it is a file" if folder.exists() else "there is nothing of that name"
        known = folder.name in (*starters.names(), *starters.model_names())
        make = f"{folder.name} {path}" if known and not folder.exists() else "night-light"
        raise NotFoundError(f"{path} is no folder", why, f"`lamplight new {make}` makes one")
    return folder
