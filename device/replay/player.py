"""Plays a trace to a function's code, event by event, and gives the code's decisions now.

It runs in this process, in the main thread, under a clock already installed (clock.py). Comparing is compare.py's.
"""

import signal
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn, cast

from device import texts
from device.errors import LamplightError, NotFoundError, RejectedError, UsageError
from device.protocol import manifest
from device.protocol.errors import ProtocolError
from device.protocol.manifest import FunctionManifest
from device.replay import surroundings
from device.replay.clock import VirtualClock
from device.replay.surroundings import Recorded, ReplayedState
from device.replay.trace import Step, Trace
from device.runtime.wire.channel import encode
from device.runtime.worker import clouds, handler, streams, values
from device.runtime.worker import surroundings as process
from device.runtime.worker.clouds import facts
from device.runtime.worker.context import Context, leased_models
from device.runtime.worker.coroutines import Coroutines
from device.runtime.worker.names import Names
from device.runtime.worker.web import applications

if TYPE_CHECKING:
    from device.infer.session import Model


@dataclass(frozen=True)
class Outcome:
    """The code's reaction to one event. With `error` it failed; `said` is everything it logged and published."""

    step: Step
    pins: Mapping[str, bool]
    result: object
    error: str
    said: list[dict[str, object]] = field(default_factory=list[dict[str, object]])


class LateError(Exception):
    """The handler took longer than its timeout, by a real clock."""


class Player:
    """The function in the folder `bundle`, with `config` over its own settings and the models at these folders.

    Raises NotFoundError for a folder without a function, UsageError for a needed but missing model, and RejectedError
    with the place in the code when the function cannot be imported.
    """

    def __init__(
        self, bundle: Path, config: Mapping[str, object], models: Mapping[str, Path], clock: VirtualClock
    ) -> None:
        self.manifest = read_manifest(bundle)
        self._bundle = bundle.resolve()
        self._clock = clock
        self._recorded = Recorded()
        self._state = ReplayedState(self._recorded)
        self._said: list[dict[str, object]] = []
        self._pins = surroundings.pins(*_pins(self.manifest), self._recorded)
        self._names = Names(self._bundle)
        self._coroutines = Coroutines()
        about = facts.of(self.manifest, 0, str(self._bundle))
        self._put_back = process.settle(clouds.variables(about), about.folder)
        try:
            found = handler.find(self._names, self.manifest.module, self.manifest.attribute)
            self._handle = applications.adapted(clouds.adapted(found, about), self._coroutines)
        except BaseException as error:
            self.close()
            if isinstance(error, LamplightError) or not isinstance(error, (Exception, SystemExit)):
                raise
            told = handler.explain(error, self._names)
            raise RejectedError(f"{self.manifest.name} cannot start", told) from error
        self._context = Context(
            self.manifest.name,
            0,
            {**self.manifest.config, **config},
            cast("Any", self._pins),
            surroundings.sensors(self.manifest.sensors, self._recorded),
            leased_models(self.manifest.models, lambda name: _load(name, models)),
            cast("Any", self._state),
            self._say,
        )

    def play(self, trace: Trace) -> Iterator[Outcome]:
        """The code's reaction to each wholly recorded step."""
        self._context.version = trace.header.version
        for step in trace.steps:
            if step.whole:
                yield self.handle(step)

    def handle(self, step: Step) -> Outcome:
        """The code's reaction to one event."""
        self._recorded.begin(step)
        self._clock.at(step.event.time)
        self._said.clear()
        self._context.request_id = step.event.id
        self._context.deadline = self._clock.now() + self.manifest.timeout
        result, error = self._outcome(step)
        self._state.end(kept=not error)
        return Outcome(step, self._levels(), result, error, [*self._said])

    def _outcome(self, step: Step) -> tuple[object, str]:
        before = signal.signal(signal.SIGALRM, _late)
        signal.setitimer(signal.ITIMER_REAL, self.manifest.timeout)
        try:
            result = self._coroutines.settle(self._handle(step.event, self._context))
            if stream := streams.stream(step.event, result):
                result = stream.gather(self._coroutines)
            return values.sendable(result, "result"), ""
        except surroundings.NotRecordedError:
            raise
        except values.NotJsonError as error:
            return None, f"what the handler returned cannot be sent: {error}"
        except LateError:
            # The interrupted work must not go on with the next event.
            self._coroutines.close()
            return None, f"timeout: took longer than {self.manifest.timeout:g} s"
        except (Exception, SystemExit) as error:
            return None, handler.explain(error, self._names)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def _say(self, message: dict[str, object]) -> None:
        # As in the worker's own channel: a message unfit to be sent is the handler's error.
        encode(message)
        self._said.append(message)

    def close(self) -> None:
        """Forget the function's modules, and end its started but unawaited work."""
        self._coroutines.close()
        self._names.release()
        self._put_back()

    def _levels(self) -> dict[str, bool]:
        outputs, _ = _pins(self.manifest)
        return {name: bool(self._pins[name].value) for name in outputs}


def read_manifest(bundle: Path) -> FunctionManifest:
    """The manifest of the function in a folder; raises NotFoundError or UsageError."""
    file = bundle / "function.toml"
    try:
        return manifest.function(tomllib.loads(texts.read(file)))
    except OSError as error:
        raise NotFoundError(f"{bundle} has no function", str(error), "`lamplight new night-light` makes one") from None
    except (ProtocolError, UnicodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{file} does not hold", str(error)) from None


def _pins(function: FunctionManifest) -> tuple[dict[str, bool], list[str]]:
    outputs = {name: pin.safe for name, pin in function.pins.items() if pin.direction == "out"}
    return outputs, [name for name in function.pins if name not in outputs]


def _load(name: str, models: Mapping[str, Path]) -> "Model":
    if name not in models:
        raise UsageError(f"The function uses the model {name!r}", "a trace does not have it", "--model FOLDER")
    # Imported here: a function without models must not need the inference library.
    from device.infer import files, session

    return session.load(models[name], files.read_manifest(models[name]))


def model_folders(folders: list[Path]) -> dict[str, Path]:
    """Model folders by their models' names; raises LamplightError for a folder without a model."""
    if not folders:
        return {}
    from device.infer import files

    # Absolute, for the function's folder may become the process's own.
    return {files.read_manifest(folder).name: folder.resolve() for folder in folders}


def _late(number: int, frame: FrameType | None) -> NoReturn:
    raise LateError
