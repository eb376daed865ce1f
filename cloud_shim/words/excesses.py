"""What a device sent beyond its share, and the times it is kept out for it, in words and for the API. Pure."""

from collections.abc import Mapping

from cloud_shim.fleet.pauses import SHARED, Pause
from cloud_shim.fleet.views import Json
from cloud_shim.records.excesses import Excess
from cloud_shim.words.amounts import counted, moment, size
from device.protocol.topics import ENROL_USER, STREAMS


def views(excesses: Mapping[tuple[str, str], Excess], pauses: Mapping[str, Pause], most: int) -> list[Json]:
    """Each EXCESS (docs/api.md); `most` is the bytes kept of one stream."""
    told = [_view(device, kind, each, most) for (device, kind), each in excesses.items()]
    return [*(_pause(name, each) for name, each in pauses.items()), *told]


def _view(device: str, kind: str, excess: Excess, most: int) -> Json:
    amounts = {"count": excess.number, "bytes": excess.bytes}
    words = {"told": _told(device, kind, excess, most), "try": _remedy(device, kind)}
    return {"device": device, "kind": kind, "first": excess.first, "last": excess.last, **amounts, **words}


def notice(view: Json) -> str:
    """An EXCESS for a person."""
    return f"{view['told']}. {view['try']}"


def _pause(name: str, pause: Pause) -> Json:
    during = f"from {moment(pause.began)} until {moment(pause.until)} UTC, for the {_nth(pause.times)} time in a row"
    return {
        "device": name,
        "kind": "paused",
        "first": pause.began,
        "last": pause.until,
        "count": pause.times,
        "bytes": 0,
        "told": f"{_CLOSED.get(name, name + ' is kept out')} {during}: {_subject(name)} floods the broker",
        "try": _remedy(name, "paused"),
    }


_CLOSED = {
    SHARED: "The topics between functions of different boards are closed",
    ENROL_USER: "No board can ask to be let in",
}


def _told(device: str, kind: str, excess: Excess, most: int) -> str:
    since = f"since {moment(excess.first)} UTC"
    amount = f"{counted(excess.number, 'message')} ({size(excess.bytes)})"
    if kind == "sent":
        return f"{_subject(device)} sent more than its share: {amount} put off {since}"
    if kind == "retained":
        return f"{_subject(device)} had the broker keep {amount} that nobody needs, removed {since}"
    if kind == "foreign":
        return f"{_subject(device)} sent {amount} on topics of no protocol of ours {since}"
    return (
        f"{device} sent more {kind} than is kept of one device ({size(most)}): its oldest "
        f"{counted(excess.number, 'record')} went {since}"
    )


def _subject(name: str) -> str:
    return {SHARED: "Some device", ENROL_USER: "Somebody with a card"}.get(name, name)


def _remedy(name: str, kind: str) -> str:
    if kind in STREAMS:
        return "The shim's --keep-bytes keeps more"
    if name == SHARED:
        return "`lamplight devices revoke` shuts out a device that is not yours to trust"
    if name == ENROL_USER:
        return "`lamplight devices void-cards` takes the password from all cards"
    return (
        f"`lamplight logs {name}` shows what it sends; if it is not yours to trust, `lamplight devices revoke {name}`"
    )


def _nth(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
