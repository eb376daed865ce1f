"""Makes our triggers of a function's event sources, one source at a time, whatever form of file names it.

An HTTP source also gives a route, for the handler to find its path's names. What has no like here is left, by name.
"""

import re
from collections.abc import Sequence

from cloud_shim.cli.moving import schedules
from cloud_shim.cli.moving.found import Found, Function, Trigger, named
from device.protocol import cloud, triggers
from device.protocol.cloud import ANY
from device.protocol.errors import ProtocolError
from device.protocol.triggers import METHODS, topic_filter

# The route of every request that has no other, as API Gateway calls it, and our path for it.
DEFAULT = "$default"
EVERYWHERE = "/*"
_TOPIC = re.compile(r"FROM\s+'([^']+)'", re.IGNORECASE)


class Sources:
    """The event sources of one function; each of its methods adds a source that stands at `line`."""

    def __init__(self, found: Found, function: Function) -> None:
        self._found = found
        self._function = function
        self._routes: list[str] = []
        # The methods of each path's trigger.
        self._methods: dict[str, list[str]] = {}

    def leave(self, line: int, what: str, why: str, remedy: str = "") -> None:
        """Note something of this function that is left behind."""
        self._found.leave(line, f"{self._function.name}: {what}", why, remedy)

    def http(self, line: int, method: str, path: str, payload: str = "") -> None:
        """Requests: `method` may be any or "ANY", `path` has names in braces; `payload` is AWS's version."""
        method = {"*": ANY, "": ANY}.get(method, method.upper())
        if method not in (*METHODS, ANY):
            self.leave(line, f"{method} {path}", f"the method is none of {', '.join(METHODS)}", _preflight(method))
            return
        ours, routes = (EVERYWHERE, []) if path == DEFAULT else _served("/" + path.strip("/"), method)
        if not self._may_be(line, f"{method} {path}", {"type": "http", "path": ours}, routes):
            return
        self._payload(line, payload)
        wanted = METHODS if method == ANY else (method,)
        if ours not in self._methods:
            self._methods[ours] = []
            self._function.triggers.append({"type": "http", "path": ours, "methods": self._methods[ours]})
        methods = self._methods[ours]
        methods[:] = [each for each in METHODS if each in wanted or each in methods]
        self._routes += routes
        if self._routes:
            self._function.cloud["routes"] = self._routes

    def schedule(self, line: int, expression: object, zone: str = "UTC") -> None:
        """A schedule of EventBridge."""
        try:
            self._function.triggers.append(schedules.of_aws(str(expression), zone))
        except ValueError as error:
            self.leave(
                line, f"the schedule {expression!s:.60}", str(error), "Write a [[triggers]] of type cron or timer"
            )

    def scf_timer(self, line: int, expression: object) -> None:
        """A timer of SCF."""
        try:
            self._function.triggers.append(schedules.of_scf(str(expression)))
        except ValueError as error:
            self.leave(line, f"the timer {expression!s:.60}", str(error), "Write a [[triggers]] of type cron or timer")

    def bucket(self, line: int, bucket: str, prefix: str = "", suffix: str = "") -> None:
        """Objects of a bucket: files of a folder, once the operator grants it."""
        folder = named(bucket)
        trigger: Trigger = {"type": "file", "folder": folder}
        if "/" in prefix:
            self.leave(line, f"the prefix {prefix!r}", "a folder here is watched without those below it")
            prefix = ""
        if prefix or suffix:
            trigger["match"] = f"{prefix}*{suffix}"
        if not self._may_be(line, f"the bucket {bucket}", trigger):
            return
        self._function.triggers.append(trigger)
        remedy = f'Grant it in the board\'s agent.toml: [folders] {folder} = "/srv/{folder}"'
        self.leave(line, f"the bucket {bucket}", f"its events come from the folder {folder!r} of the board", remedy)

    def messages(self, line: int, service: str, topic: str) -> None:
        """Messages of a queue or a topic, in the form of `service`."""
        before = self._function.cloud.setdefault("messages", service)
        if before != service:
            self.leave(line, f"{service} {topic}", f"the function's other messages are in the form of {before}")
            return
        try:
            ours = topic_filter(topic if "/" in topic or "+" in topic or "#" in topic else named(topic), "topic")
        except ProtocolError as error:
            self.leave(line, f"{service} {topic}", str(error), "Write a [[triggers]] of type mqtt")
            return
        self._function.triggers.append({"type": "mqtt", "topic": ours})
        self.leave(line, f"{service} {topic}", f"its messages come from the fleet's topic {ours!r}", "One an event")

    def rule(self, line: int, sql: object) -> None:
        """A rule of IoT Core."""
        topic = _TOPIC.search(str(sql))
        plain = re.match(r"\s*SELECT\s+\*\s", str(sql), re.IGNORECASE) and "WHERE" not in str(sql).upper()
        if not topic:
            self.leave(line, f"the rule {sql!s:.60}", "it names no topic", "Write a [[triggers]] of type mqtt")
            return
        if not plain:
            self.leave(line, f"the rule {sql!s:.60}", "a trigger neither chooses nor computes", "Do it in the handler")
        self.messages(line, "iot", topic.group(1))

    def _may_be(self, line: int, what: str, trigger: Trigger, routes: Sequence[str] = ()) -> bool:
        """Whether a function.toml may say so; notes the reason if not."""
        try:
            triggers.trigger(trigger)
            cloud.cloud({"cloud": {"routes": list(routes)}}, self._function.runtime)
        except ProtocolError as error:
            self.leave(line, what, str(error).partition(": ")[2], "Write a [[triggers]] that may do")
            return False
        return True

    def _payload(self, line: int, payload: str) -> None:
        if not payload:
            return
        before = self._function.cloud.setdefault("payload", payload)
        if before != payload:
            self.leave(line, f"payload {payload}", f"the function's other requests come in payload {before}")


def _served(template: str, method: str) -> tuple[str, list[str]]:
    """The trigger's path for a template, and the route: "/items/{id}" is "/items/*"."""
    fixed = template.partition("{")[0]
    return (template if fixed == template else f"{fixed.rstrip('/')}/*"), [f"{method} {template}"]


def _preflight(method: str) -> str:
    return "The board answers OPTIONS by the trigger's `origins`" if method == "OPTIONS" else ""
