"""The shim's HTTP interface (docs/api.md), from the side of a calling program.

One method per request; answers are the decoded JSON, unchanged. An error of the shim arrives as its LamplightError.
The connection is the only state. Printing and the choice of devices are left to the caller.
"""

import json
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloud_shim.cli import credentials
from device.errors import LamplightError, NotFoundError, OfflineError, RejectedError, UsageError
from device.protocol.errors import ProtocolError
from device.protocol.fields import is_name, plain
from device.protocol.messages import CALL

if TYPE_CHECKING:
    import httpx

DEFAULT_URL = "http://127.0.0.1:8420"
JsonObject = dict[str, Any]

_ERRORS: Mapping[int, type[LamplightError]] = {
    each.exit_code: each for each in (LamplightError, UsageError, NotFoundError, OfflineError, RejectedError)
}
_RECONNECT = 1.0  # seconds between two tries to get a broken stream back


@dataclass(frozen=True)
class Message:
    """One server-sent event: its subject ("record" or "device"), its JSON, and its id, or ""."""

    event: str
    data: JsonObject
    id: str


class Client:
    """A connection to the shim at `url`. `timeout` is in seconds, for one request; use as a context manager.

    It says who it is by the token that credentials.py finds for the address, looked up at each request: a rotated token
    is found at once. Raises UsageError for a bad address.
    """

    def __init__(self, url: str = DEFAULT_URL, timeout: float = 30.0) -> None:
        import httpx

        self.url = url.rstrip("/")
        # The environment's proxies are for other sites; the shim is on this machine.
        try:
            self._http = httpx.Client(base_url=self.url, timeout=timeout, trust_env=False)
            # Without this, a host beyond any name server would fail only later, as an error of encoding.
            self._http.base_url.host.encode("idna")
        except (httpx.InvalidURL, UnicodeError) as error:
            raise self._no_address(error) from error

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def devices(self) -> list[JsonObject]:
        """Every DEVICE."""
        return self._request("GET", "/api/devices")["devices"]

    def device(self, name: str) -> JsonObject:
        """One DEVICE; NotFoundError for an unknown name."""
        return self._request("GET", _path("devices", name))

    def add_device(self, name: str, board: str, simulation: str) -> JsonObject:
        """Make a device known; gives its password and the roots of trust to put on it."""
        return self._request(
            "POST", "/api/devices", json={"name": name, "board": board, "simulation": simulation or None}
        )

    def card(self, name: str, token: bool, again: bool) -> JsonObject:
        """The contents of a card for the device `name`, with a token if asked for; the answer has secrets."""
        return self._request("POST", "/api/cards", json={"name": name, "token": token, "again": again})

    def void_cards(self) -> int:
        """Make every unused card worthless; gives how many tokens ended."""
        return self._request("DELETE", "/api/cards")["tokens"]

    def claims(self) -> list[JsonObject]:
        """Every CLAIM: the boards still waiting, rejected or refused."""
        return self._request("GET", "/api/claims")["claims"]

    def accept(self, claim: str, again: bool) -> str:
        """Let in the board with this name or fingerprint, with `again` in place of an older one; gives its name."""
        return self._request("POST", _path("claims", claim, "accept"), json={"again": again})["name"]

    def reject(self, claim: str) -> list[str]:
        """End the wait of the board, or with "" of every board; gives their fingerprints."""
        if claim:
            return self._request("POST", _path("claims", claim, "reject"))["rejected"]
        return self._request("DELETE", "/api/claims")["rejected"]

    def revoke(self, device: str) -> None:
        """Shut a device out for good."""
        self._request("POST", _path("devices", device, "revoke"))

    def release(self, archive: bytes, unsigned: bool = False, device: str = "") -> JsonObject:
        """Store a packed bundle or model; gives its RELEASE. The same bytes give the same release again.

        With `device`, a new one gets a number only if it can be deployed there; the error is that of `deploy`.
        `unsigned`: the caller can sign it if the shim lacks the key. A RELEASE with "unsigned" can be deployed only
        once it is signed: see cli/release/pushing.py.
        """
        wanted = {"unsigned": "1" if unsigned else "", "device": device}
        given = {key: value for key, value in wanted.items() if value}
        return self._request("POST", "/api/releases", params=given, content=archive)

    def releases(self) -> list[JsonObject]:
        """Every RELEASE, newest first."""
        return self._request("GET", "/api/releases")["releases"]

    def withdrawals(self) -> list[JsonObject]:
        """Every WITHDRAWAL, the oldest first."""
        return self._request("GET", "/api/withdrawals")["withdrawals"]

    def withdraw(self, withdrawal: JsonObject) -> None:
        """Have the shim withdraw releases; RejectedError when it has no release key, or they were withdrawn before."""
        self._request("POST", "/api/withdrawals", json=withdrawal)

    def release_sbom(self, release: JsonObject) -> JsonObject:
        """The RELEASE's bill of materials, as CycloneDX JSON."""
        which = (release["kind"], release["name"], str(release["version"]))
        return self._request("GET", _path("releases", *which, "sbom"))

    def device_sbom(self, device: str) -> JsonObject:
        """The bill of materials of everything running on the device."""
        return self._request("GET", _path("devices", device, "sbom"))

    def exposure(self, package: str) -> JsonObject:
        """EXPOSURE: every use of the package on every device."""
        return self._request("GET", "/api/exposure", params={"package": package})

    def keys(self) -> JsonObject:
        """The names of the shim's private keys, and the image repository's metadata."""
        return self._request("GET", "/api/keys")

    def adopt(self, offer: JsonObject) -> JsonObject:
        """Give the shim metadata signed on this machine; the answer has the form of that of `keys`."""
        return self._request("POST", "/api/keys", json=offer)

    def next_key(self, name: str) -> JsonObject:
        """Have the shim make the successor of its online key `name`; gives its id and public half."""
        return self._request("POST", "/api/keys/next", json={"name": name})

    def choose(self, device: str, hardware: str) -> None:
        """Say which of the boards that claim the name is the device."""
        self._request("POST", _path("devices", device, "board"), json={"hardware": hardware})

    def rename(self, device: str, board: str, name: str) -> None:
        """Give the board that is kept out of the device's name a name of its own."""
        self._request("POST", _path("devices", device, "rename"), json={"board": board, "name": name})

    def trust_clock(self) -> float:
        """Have the shim sign by its clock, whatever it said before; gives its time, in seconds since 1970."""
        return self._request("POST", "/api/keys/clock", json={})["now"]

    def deploy(
        self,
        device: str,
        release: JsonObject,
        config: JsonObject | None = None,
        trial: JsonObject | None = None,
        retry: bool = False,
        layer: JsonObject | None = None,
    ) -> int:
        """Ask for `release` on the device; gives the generation.

        `config` None keeps the previous settings; `trial` may have `seconds` and `events`; with `retry` the device
        tries it even if it failed there before. `layer` is the RELEASE with a function's dependencies, or {};
        None keeps those of the release before.
        """
        named = {key: release[key] for key in ("kind", "name", "version")}
        body = {**named, "config": config, "trial": trial, "retry": retry}
        if layer is not None:
            body["layer"] = {key: layer[key] for key in ("name", "version") if layer}
        return self._request("POST", _path("devices", device, "deploy"), json=body)["generation"]

    def remove(self, device: str, kind: str, name: str) -> int:
        """Ask the device to remove its "function" or "model" `name`; gives the generation."""
        return self._request("DELETE", _path("devices", device, f"{kind}s", name))["generation"]

    def rollback(self, device: str) -> int:
        """Ask for the deployment before the present one; gives the new generation's number."""
        return self._request("POST", _path("devices", device, "rollback"))["generation"]

    def settings(self, device: str, function: str, version: int, mark: str = "") -> JsonObject:
        """The function's settings for this version, as last asked for on the device; with `mark`, those of a record."""
        path = _path("devices", device, "functions", function, "settings")
        return self._request("GET", path, params={"version": version, "mark": mark})["config"]

    def call(self, device: str, function: str, data: object, type: str = CALL) -> object:
        """Run the function once with an event of this type and `data`; gives its result.

        RejectedError: it raised; OfflineError: the answer did not come.
        """
        body = {"data": data, "type": type}
        return self._request("POST", _path("devices", device, "functions", function, "call"), json=body)["result"]

    def link(self) -> str:
        """The address of a link that signs a browser in, once."""
        return self.url + self._request("POST", "/api/links")["path"]

    def tokens(self) -> list[JsonObject]:
        """Every TOKEN."""
        return self._request("GET", "/api/tokens")["tokens"]

    def create_token(self, name: str, permission: str) -> JsonObject:
        """A new token; the answer has its text, for this once."""
        return self._request("POST", "/api/tokens", json={"name": name, "permission": permission})

    def rotate_token(self, name: str) -> JsonObject:
        """A new token in place of the present one; the answer has its text, "" for the owner's: that is in its file."""
        return self._request("POST", _path("tokens", name, "rotate"))

    def revoke_token(self, name: str) -> None:
        """Make a token worthless."""
        self._request("DELETE", _path("tokens", name))

    def health(self) -> JsonObject:
        """The shim's health: its connection to the broker, and its notices."""
        return self._request("GET", "/api/health")

    def doctor(self, device: str) -> list[JsonObject]:
        """Have the device look at itself; gives the results of its checks. OfflineError when it is away."""
        # Longer than the shim waits: a board with a slow card and a broken network takes its time.
        return self._request("POST", _path("devices", device, "doctor"), timeout=150.0)["checks"]

    def records(
        self,
        device: str = "",
        stream: str = "",
        function: str = "",
        limit: int = 100,
        after: int | None = None,
        before: int | None = None,
    ) -> list[JsonObject]:
        """Matching RECORDs, oldest first: the last `limit`, or the first `limit` after the id `after`.

        An empty string matches everything. With `before` only records with a lower id count.
        """
        named = {key: _name(value) for key, value in (("device", device), ("function", function)) if value}
        wanted = {**named, "stream": stream, "limit": limit, "after": after, "before": before}
        given = {key: value for key, value in wanted.items() if value not in ("", None)}
        return self._request("GET", "/api/records", params=given)["records"]

    def source(self, device: str, function: str) -> JsonObject:
        """The function's files, triggers, outputs and examples, in the version asked for on the device."""
        return self._request("GET", _path("devices", device, "functions", function, "source"))

    def world(self, device: str) -> JsonObject:
        """The simulated hardware's WORLD; NotFoundError for a real board."""
        return self._request("GET", _path("sim", device))

    def set_world(self, device: str, changes: Mapping[str, object]) -> JsonObject:
        """Change any of `lux`, `covered`, `unplugged`; gives the WORLD after the change."""
        return self._request("POST", _path("sim", device), json=dict(changes))

    def follow(self, device: str = "", last_id: str = "") -> Iterator[Message]:
        """Everything from now on (or from after `last_id`), endlessly: a lost connection is taken up again.

        The first connection must succeed, or OfflineError; later ones are tried until the shim is back.
        """
        connected = False
        while True:
            try:
                with self._stream(device, last_id) as messages:
                    connected = True
                    for message in messages:
                        last_id = message.id or last_id
                        yield message
            except OfflineError:
                if not connected:
                    raise
            time.sleep(_RECONNECT)

    @contextmanager
    def _stream(self, device: str, last_id: str) -> Generator[Iterator[Message], None, None]:
        import httpx

        wanted = {"device": _name(device)} if device else {}
        headers = {**credentials.headers(self.url), **({"Last-Event-ID": last_id} if last_id else {})}
        # Silence is normal on a stream, so reading has no time limit.
        timeout = httpx.Timeout(10.0, read=None)
        try:
            with self._http.stream("GET", "/api/stream", params=wanted, headers=headers, timeout=timeout) as response:
                if response.status_code != 200:
                    response.read()
                    raise _error(response)
                yield parse_events(response.iter_lines())
        except httpx.TransportError as error:
            raise self._offline(error) from error

    def _request(self, method: str, path: str, **arguments: Any) -> JsonObject:
        import httpx

        _check(arguments.get("json"))
        try:
            response = self._http.request(method, path, headers=credentials.headers(self.url), **arguments)
        except httpx.TimeoutException as error:
            raise OfflineError(f"The shim at {self.url} did not answer in time", str(error)) from error
        except httpx.UnsupportedProtocol as error:
            raise self._no_address(error) from error
        except httpx.TransportError as error:
            raise self._offline(error) from error
        if response.status_code != 200:
            raise _error(response)
        return _decoded(response)

    def _no_address(self, error: Exception) -> UsageError:
        return UsageError(f"{self.url!r} is not a shim's address", str(error), f"--url {DEFAULT_URL}")

    def _offline(self, error: Exception) -> OfflineError:
        return OfflineError(f"No Lamplight shim answers at {self.url}", str(error), "start it with `lamplight up`")


def _path(*parts: str) -> str:
    """The address of a resource of the API, from its names."""
    return "/api/" + "/".join(map(_name, parts))


def _name(value: str) -> str:
    """`value`, checked for its place in an address; NotFoundError unless it is a name: others would lead elsewhere."""
    if not is_name(value):
        raise NotFoundError(f"There is nothing named {value[:80]!r}", "names have lower-case letters, digits and '-'")
    return value


def _check(body: object) -> None:
    """Raises UsageError for a body that the shim would refuse, or JSON cannot hold."""
    try:
        plain(body, "body")
    except ProtocolError as error:
        raise UsageError("This cannot be sent", str(error)) from None


def parse_events(lines: Iterator[str]) -> Iterator[Message]:
    """Server-sent events from the lines of a stream (WHATWG HTML, section 9.2.6). Comments and unknown fields pass."""
    event, data, identity = "", "", ""
    for line in lines:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            event = value
        elif field == "data":
            data += value
        elif field == "id":
            identity = value
        elif line == "":
            if data:
                yield Message(event, json.loads(data), identity)
            event, data = "", ""


def _decoded(response: "httpx.Response") -> JsonObject:
    try:
        return response.json()
    except ValueError as error:
        raise LamplightError(
            "What answers there is no Lamplight shim", f"{response.url} gave no JSON", "check --url"
        ) from error


def _error(response: "httpx.Response") -> LamplightError:
    try:
        told = response.json()["error"]
        return _ERRORS[told["exit_code"]](told["what"], told["why"], told["remedy"])
    except (ValueError, KeyError, TypeError):
        return LamplightError(
            f"The shim answered {response.status_code}",
            response.text.strip()[:200],
            "check that --url is a Lamplight shim",
        )
