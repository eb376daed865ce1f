"""An HTTP request's event with the views of it that the clouds' events share."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from device.event import Event, as_text
from device.protocol.cloud import ANY
from device.runtime.worker.clouds import routes
from device.runtime.worker.clouds.routes import Route


class Headers(dict[str, str]):
    """Headers by their names, in any case: a client's spelling reaches a cloud's handler by many ways."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__(headers)
        self._names = {name.lower(): name for name in headers}

    def __missing__(self, name: str) -> str:
        known = self._names.get(name.lower()) if isinstance(name, str) else None  # pyright: ignore[reportUnnecessaryIsInstance]
        if known is None or known not in self:
            raise KeyError(name)
        return self[known]

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and super().__contains__(self._named(name)))

    def get(self, key: str, default: Any = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """As any dictionary's."""
        return super().get(self._named(key) if key not in self.keys() else key, default)

    def _named(self, name: str) -> str:
        return self._names.get(name.lower(), name)


class HttpRequest:
    """The request in an event, found among `templates`.

    `body` is a text, in base64 when `encoded`. `queries` has all values of each key, `cookies` one text each.
    """

    def __init__(self, event: Event, templates: list[str]) -> None:
        data = event.data
        self.method: str = data["method"]
        self.path: str = data["path"]
        self.body, self.encoded = _body(data)
        # A trace of an older agent has the last values alone.
        self.queries: dict[str, list[str]] = data.get("queries") or {k: [v] for k, v in data["query"].items()}
        self._headers: dict[str, str] = data["headers"]
        found = routes.find(templates, self.method, self.path)
        self.route = found or Route(ANY, self.path)
        self.routed = found is not None

    @property
    def cookies(self) -> list[str]:
        """The cookies, each as "name=value"."""
        return [each.strip() for each in self.header("cookie").split(";") if each.strip()]

    @property
    def query(self) -> str:
        """The query as in an address."""
        return urlencode(self.queries, doseq=True)

    @property
    def host(self) -> str:
        """The name that was asked."""
        return self.header("host")

    def header(self, name: str) -> str:
        """One header's value, or ""; the name in lower case."""
        return self._headers.get(name, "")

    def headers(self, titled: bool, without: tuple[str, ...] = ()) -> Headers:
        """The headers, with names like `Content-Type` when `titled`, in lower case otherwise."""
        kept = {name: value for name, value in self._headers.items() if name not in without}
        return Headers({name.title() if titled else name: value for name, value in kept.items()})


def _body(data: Mapping[str, Any]) -> tuple[str, bool]:
    """The body as text, and whether it is in base64. One too long for an event is a file (docs/triggers.md)."""
    if "file" not in data:
        return data["body"], data["base64"]
    return as_text(Path(data["file"]).read_bytes())
