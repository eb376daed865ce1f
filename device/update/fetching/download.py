"""One download: the chunks to ask for, and when. Pure: chunks and the clock are passed in, actions come out.

It subscribes to exactly the missing chunks, a few at a time. Each board has an order of its own, to spread a fleet's
requests; an artifact's index comes first. Late chunks are asked for again, ever less often: from the broker by
subscribing anew, for it then sends its retained messages again (MQTT 3.1.1, MQTT-3.8.4-3), and from the shim with
`want`, for the broker may have lost them. So either of the two is enough. Storing is the caller's; it asks `disk` for
the chunks stored already.
"""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from device.errors import BadArtifactError
from device.protocol import chunks
from device.protocol.deployment import ArtifactRef
from device.protocol.errors import ProtocolError

# Chunks on their way at a time: more once they come quickly. On a slow link a large window makes chunks late, and late
# chunks are asked for twice.
WINDOW = 8
WIDE = 16
# On a quick link a chunk comes within so many seconds.
QUICK = 0.5
# Seconds until a chunk is asked for again, doubling up to the limit. On a slow link the first wait is longer: twice the
# recent time of a chunk. Asking for a chunk already on its way brings it twice, and makes such a link slower still.
FIRST_WAIT = 2.0
LONGEST_WAIT = 60.0
# A patch is only a saving: once a chunk of it was asked for so often in vain, the whole artifact is fetched.
PATCH_TRIES = 3


class Disk(Protocol):
    """The chunks stored already; the store is one."""

    def read(self, digest: str) -> bytes | None:
        """The index with this digest, whole, or None."""
        ...

    def lacking(self, digest: str, chunks: Sequence[str]) -> set[str]:
        """The missing chunks of the blob with this digest."""
        ...


@dataclass(frozen=True)
class Place:
    """Where a chunk belongs: so many bytes into the blob (an artifact or an index) with this digest."""

    blob: str
    offset: int


@dataclass
class Actions:
    """The actions for the link now."""

    subscribe: list[str] = field(default_factory=list[str])
    unsubscribe: list[str] = field(default_factory=list[str])
    want: list[str] = field(default_factory=list[str])


@dataclass
class _Asked:
    since: float
    wait: float
    due: float
    again: int = 0


class Download:
    """Brings the artifacts `refs` in."""

    def __init__(self, refs: Sequence[ArtifactRef], disk: Disk, order: random.Random) -> None:
        self._disk = disk
        self._order = order
        self._indexes = {ref.index: ref for ref in refs if ref.index}
        self._lists: dict[str, list[str]] = {}
        self._places: dict[str, list[Place]] = {}
        self._waiting: list[str] = []
        self._asked: dict[str, _Asked] = {}
        self._arrived: list[str] = []
        self._pace = 0.0
        self._quick = False
        self._artifacts = {ref.digest: ref for ref in refs}
        self.total = sum(ref.length for ref in self._artifacts.values())
        self.stored = 0
        self.corrupt = 0
        for ref in self._artifacts.values():
            self._begin(ref)

    @property
    def done(self) -> bool:
        """Whether everything is stored."""
        return not self._waiting and not self._asked

    def asked(self) -> list[str]:
        """The chunks subscribed to now."""
        return [*self._asked, *self._arrived]

    def blobs(self) -> set[str]:
        """Every blob of this download, stored or missing."""
        return {*self._indexes, *self._artifacts}

    def chunks(self, ref: ArtifactRef) -> list[str]:
        """The digests of an artifact's chunks, in order, once its index is here."""
        return self._lists[ref.digest]

    def step(self, now: float) -> Actions:
        """The actions at `now`: ask again for late chunks; at half a window, let go of arrived ones and fill it."""
        actions = Actions()
        for digest, asked in self._asked.items():
            if asked.due <= now:
                actions.subscribe.append(digest)
                actions.want.append(digest)
                asked.again += 1
                asked.wait = min(2 * asked.wait, LONGEST_WAIT)
                asked.due = now + asked.wait
        window = WIDE if self._quick else WINDOW
        if len(self._asked) <= window // 2:
            # Several at once: on a fast link a packet for each chunk takes as long as the chunk.
            self._fill(window, actions, now)
        return actions

    def _fill(self, window: int, actions: Actions, now: float) -> None:
        actions.unsubscribe, self._arrived = self._arrived, []
        while self._waiting and len(self._asked) < window:
            digest = self._waiting.pop()
            self._asked[digest] = self._ask(now)
            actions.subscribe.append(digest)

    def due(self) -> float | None:
        """When `step` next has something to ask for again; None while no request is open."""
        return min((asked.due for asked in self._asked.values()), default=None)

    def given_up(self, blobs: Collection[str]) -> bool:
        """Whether a chunk of one of these blobs was asked for as often as is worth it."""
        return any(
            asked.again >= PATCH_TRIES and not blobs_of.isdisjoint(blobs)
            for digest, asked in self._asked.items()
            if (blobs_of := {digest, *(place.blob for place in self._places.get(digest, []))})
        )

    def again(self, now: float) -> Actions:
        """The link is there again, its subscriptions gone: the chunks to subscribe to anew."""
        self._arrived = []
        for digest in self._asked:
            self._asked[digest] = self._ask(now)
        return Actions(subscribe=list(self._asked))

    def receive(self, digest: str, payload: bytes, now: float) -> list[Place]:
        """The places to store this chunk now; empty for an unasked or damaged chunk.

        A damaged one is counted and asked for again. Raises BadArtifactError for a wrong index, even when only the
        length of a listed chunk gives it away.
        """
        asked = self._asked.get(digest)
        if asked is None:
            return []
        if len(payload) > chunks.CHUNK_SIZE or chunks.digest(payload) != digest:
            self.corrupt += 1
            if not asked.again:
                asked.due = now
            return []
        del self._asked[digest]
        self._arrived.append(digest)
        took = min(now - asked.since, LONGEST_WAIT)
        self._pace = (3 * self._pace + took) / 4 if self._pace else took
        # An index is short: its time says little about a chunk's.
        self._quick = took < QUICK and digest not in self._indexes
        places = self._places.pop(digest, [])
        for place in places:
            self._check_fits(place, len(payload))
            self.stored += len(payload)
        if digest in self._indexes:
            self._learn(self._indexes[digest], payload)
            places.append(Place(digest, 0))
        return places

    def _ask(self, now: float) -> _Asked:
        wait = min(max(FIRST_WAIT, 2 * self._pace), LONGEST_WAIT)
        return _Asked(now, wait, now + wait)

    def _begin(self, ref: ArtifactRef) -> None:
        if not ref.index:
            self._need(ref, [ref.digest])
        elif (index := self._disk.read(ref.index)) is None:
            # At the end: the end is asked for first.
            self._waiting.append(ref.index)
        else:
            self._learn(ref, index)

    def _learn(self, ref: ArtifactRef, index: bytes) -> None:
        try:
            self._need(ref, chunks.decode_index(index, ref.length))
        except ProtocolError as error:
            raise BadArtifactError(f"{ref.name} v{ref.version} cannot be fetched", str(error)) from None

    def _need(self, ref: ArtifactRef, digests: list[str]) -> None:
        """The artifact consists of these chunks: the missing ones wait to be asked for."""
        self._lists[ref.digest] = digests
        lacking = self._disk.lacking(ref.digest, digests)
        for number, digest in enumerate(digests):
            place = Place(ref.digest, number * chunks.CHUNK_SIZE)
            if digest not in lacking:
                self.stored += self._size(place)
                continue
            if digest not in self._places:
                self._places[digest] = []
                self._waiting.insert(self._order.randint(0, len(self._waiting)), digest)
            self._places[digest].append(place)

    def _check_fits(self, place: Place, length: int) -> None:
        if length != self._size(place):
            ref = self._artifacts[place.blob]
            raise BadArtifactError(f"{ref.name} v{ref.version} cannot be fetched", "its index lists other bytes")

    def _size(self, place: Place) -> int:
        return min(chunks.CHUNK_SIZE, self._artifacts[place.blob].length - place.offset)
