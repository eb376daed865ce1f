"""The facts about keys for people, from the shim's answer: `lamplight keys show`, and the renewals due. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from cloud_shim.trust import release_metadata

Json = dict[str, Any]

# Roles signed by a person are good for a year and more; a month is time enough to find the holder of the key.
SOON = timedelta(days=30)


class _Key(NamedTuple):
    """A key's name, its role, its ids (several when several may sign), and the end of its signature, if it has one."""

    name: str
    signs: str
    ids: list[str]
    until: datetime | None


def keys(answer: Mapping[str, Any], here: Mapping[str, str]) -> list[dict[str, str]]:
    """Every key; `answer` is from GET /api/keys, `here` the ids of this machine's keys by name."""
    return [
        {
            "name": key.name,
            "signs": key.signs,
            "where": _where(key, answer["held"], here),
            "id": ", ".join(each[:12] for each in key.ids),
            "until": _date(key.until) if key.until else "",
        }
        for key in _all(answer)
    ]


def notices(answer: Mapping[str, Any], now: datetime) -> list[str]:
    """The signatures a person must renew soon, in words; [] when there are none. The shim renews its own by itself.

    `answer` is from GET /api/keys.
    """
    ending = [key for key in _all(answer) if key.until and key.until - now < SOON and key.name not in answer["held"]]
    return [_notice(key.name, key.until, now) for key in ending if key.until]


def _notice(name: str, until: datetime, now: datetime) -> str:
    command = "rotate" if name.endswith("-root") else "renew"
    remedy = f"give `lamplight keys {command}` on the machine that has the key"
    if until <= now:
        return f"What {name} signed was good until {_date(until)}: devices take nothing new that rests on it; {remedy}"
    return f"What {name} signed is good until {_date(until)}; {remedy}"


def _all(answer: Mapping[str, Any]) -> list[_Key]:
    return [*_image(answer["image"]), *_director(answer["director_root"])]


def _where(key: _Key, held: list[str], here: Mapping[str, str]) -> str:
    if here.get(key.name) in key.ids:
        return "this machine" if len(key.ids) == 1 else f"this machine and {len(key.ids) - 1} more"
    if key.name in held:
        return "shim"
    return "another machine" if len(key.ids) == 1 else f"{len(key.ids)} other machines"


def _image(image: Json) -> list[_Key]:
    root, top = (release_metadata.parse(text).signed for text in (image["root"][-1], image["targets"]))
    ends = [release_metadata.parse(text).signed.expires for text in image["delegated"].values()]
    online = release_metadata.parse(image["timestamp"]).signed
    return [
        _Key("image-root", _changes("which keys sign the releases", root), root.roles["root"].keyids, root.expires),
        _Key("image-targets", "who releases which name", root.roles["targets"].keyids, top.expires),
        _Key("image-releases", "every release", list(top.delegations.keys), min(ends, default=None)),
        _Key("image-online", "what is current", root.roles["timestamp"].keyids, online.expires),
    ]


def _director(text: str) -> list[_Key]:
    root = release_metadata.parse(text).signed
    return [
        _Key("director-root", _changes("which key deploys", root), root.roles["root"].keyids, root.expires),
        _Key("director-online", "what each device runs", root.roles["targets"].keyids, None),
    ]


def _changes(what: str, root: Any) -> str:
    role = root.roles["root"]
    return what if role.threshold == 1 else f"{what}; {role.threshold} of {len(role.keyids)} together"


def _date(value: datetime) -> str:
    return f"{value:%Y-%m-%d}"
