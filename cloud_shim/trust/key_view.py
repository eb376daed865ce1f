"""What `lamplight keys show` says of each key, from what the shim tells. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from cloud_shim.trust import release_metadata

Json = dict[str, Any]


class _Key(NamedTuple):
    """A key's name, what it signs, its ids (several when several may sign), and when that ends, "" for nothing yet."""

    name: str
    signs: str
    ids: list[str]
    until: str


def keys(answer: Mapping[str, Any], here: Mapping[str, str]) -> list[dict[str, str]]:
    """Every key; `answer` is that of GET /api/keys, `here` the ids of this machine's keys by name."""
    return [
        {
            "name": key.name,
            "signs": key.signs,
            "where": _where(key, answer["held"], here),
            "id": ", ".join(each[:12] for each in key.ids),
            "until": key.until,
        }
        for key in [*_image(answer["image"]), *_director(answer["director_root"])]
    ]


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
        _Key(
            "image-root", _changes("which keys sign the releases", root), root.roles["root"].keyids, _date(root.expires)
        ),
        _Key("image-targets", "who releases which name", root.roles["targets"].keyids, _date(top.expires)),
        _Key("image-releases", "every release", list(top.delegations.keys), _date(min(ends)) if ends else ""),
        _Key("image-online", "what is current", root.roles["timestamp"].keyids, _date(online.expires)),
    ]


def _director(text: str) -> list[_Key]:
    root = release_metadata.parse(text).signed
    return [
        _Key("director-root", _changes("which key deploys", root), root.roles["root"].keyids, _date(root.expires)),
        _Key("director-online", "what each device runs", root.roles["targets"].keyids, ""),
    ]


def _changes(what: str, root: Any) -> str:
    role = root.roles["root"]
    return what if role.threshold == 1 else f"{what}; {role.threshold} of {len(role.keyids)} together"


def _date(value: Any) -> str:
    return f"{value:%Y-%m-%d}"
