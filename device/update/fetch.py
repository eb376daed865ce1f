"""One download: which chunks to ask for, and when. No I/O: chunks and the clock are passed in, actions come out.

It subscribes to exactly the chunks that lack, a few at a time, in an order of its own so that a fleet does not ask for
the same one at once; an artifact's index comes first. What does not arrive is asked for again with `want`, ever less
often. It does not store anything, and knows what is stored already only by asking `read`.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from device.errors import BadArtifactError
from device.protocol import chunks
from device.protocol.deployment import ArtifactRef
from device.protocol.errors import ProtocolError

WINDOW = 4
# Seconds until a chunk is asked for again, doubling up to the limit.
FIRST_WAIT = 2.0
LONGEST_WAIT = 60.0


@dataclass
class Actions:
    """What the link is to do now."""

    subscribe: list[str] = field(default_factory=list[str])
    unsubscribe: list[str] = field(default_factory=list[str])
    want: list[str] = field(default_factory=list[str])


@dataclass
class _Asked:
    due: float
    wait: float = FIRST_WAIT


class Download:
    """Brings the artifacts `refs` in. `read(digest)` gives a stored, verified blob or None."""

    def __init__(self, refs: Sequence[ArtifactRef], read: Callable[[str], bytes | None], order: random.Random) -> None:
        self._read = read
        self._order = order
        self._indexes = {ref.index: ref for ref in refs if ref.index}
        self._lists: dict[str, list[str]] = {}
        self._waiting: list[str] = []
        self._asked: dict[str, _Asked] = {}
        self._arrived: list[str] = []
        # How many bytes of the artifacts each chunk is, for a chunk may stand in several places.
        self._sizes: Counter[str] = Counter()
        self._lacking: set[str] = set()
        self.total = sum(ref.length for ref in refs)
        self.corrupt = 0
        for ref in refs:
            self._begin(ref)

    @property
    def stored(self) -> int:
        """How much of `total` is stored."""
        return sum(size for digest, size in self._sizes.items() if digest not in self._lacking)

    @property
    def done(self) -> bool:
        """Whether everything is stored."""
        return not self._waiting and not self._asked

    def asked(self) -> list[str]:
        """The chunks that are subscribed to now."""
        return [*self._asked, *self._arrived]

    def digests(self) -> set[str]:
        """Every blob this download has or lacks, as far as it is known: the chunks of a lacking index are not."""
        return {*self._indexes, *self._sizes}

    def chunks(self, ref: ArtifactRef) -> list[str]:
        """The digests of an artifact's chunks, in order, once its index is here."""
        return self._lists[ref.digest]

    def step(self, now: float) -> Actions:
        """What to do at `now`: fill the window, ask again for what is late, let go of what arrived."""
        actions = Actions(unsubscribe=self._arrived)
        self._arrived = []
        for digest, asked in self._asked.items():
            if asked.due <= now:
                actions.want.append(digest)
                asked.wait = min(2 * asked.wait, LONGEST_WAIT)
                asked.due = now + asked.wait
        while self._waiting and len(self._asked) < WINDOW:
            digest = self._waiting.pop()
            self._asked[digest] = _Asked(now + FIRST_WAIT)
            actions.subscribe.append(digest)
        return actions

    def due(self) -> float | None:
        """When `step` next has something to ask for again; None when nothing is asked for."""
        return min((asked.due for asked in self._asked.values()), default=None)

    def again(self, now: float) -> Actions:
        """The link is there again, with no subscription of before: what to subscribe to anew."""
        self._arrived = []
        for digest in self._asked:
            self._asked[digest] = _Asked(now + FIRST_WAIT)
        return Actions(subscribe=list(self._asked))

    def receive(self, digest: str, payload: bytes, now: float) -> bool:
        """Whether this chunk was asked for and is whole, so that it must be stored now.

        A damaged one is counted and asked for again. Raises BadArtifactError for an index that cannot be the right one.
        """
        asked = self._asked.get(digest)
        if asked is None:
            return False
        if len(payload) > chunks.CHUNK_SIZE or chunks.digest(payload) != digest:
            self.corrupt += 1
            if asked.wait == FIRST_WAIT:
                asked.due = now
            return False
        del self._asked[digest]
        self._lacking.discard(digest)
        self._arrived.append(digest)
        if digest in self._indexes:
            self._learn(self._indexes[digest], payload)
        return True

    def _begin(self, ref: ArtifactRef) -> None:
        if not ref.index:
            self._need(ref, [ref.digest])
        elif (index := self._read(ref.index)) is None:
            # At the end, which is what is asked for first.
            self._lacking.add(ref.index)
            self._waiting.append(ref.index)
        else:
            self._learn(ref, index)

    def _learn(self, ref: ArtifactRef, index: bytes) -> None:
        try:
            self._need(ref, chunks.decode_index(index, ref.length))
        except ProtocolError as error:
            raise BadArtifactError(f"{ref.name} v{ref.version} cannot be fetched", str(error)) from None

    def _need(self, ref: ArtifactRef, digests: list[str]) -> None:
        """The artifact consists of these chunks: those that are not stored wait to be asked for."""
        self._lists[ref.digest] = digests
        for place, digest in enumerate(digests):
            known = digest in self._sizes
            self._sizes[digest] += min(chunks.CHUNK_SIZE, ref.length - place * chunks.CHUNK_SIZE)
            if not known and self._read(digest) is None:
                self._lacking.add(digest)
                self._waiting.insert(self._order.randint(0, len(self._waiting)), digest)
