"""A download asks for what lacks, and only for that, whatever arrives when."""

import itertools
import random

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from device.errors import BadArtifactError
from device.protocol import chunks
from device.protocol.deployment import ArtifactRef
from device.update.fetching.download import FIRST_WAIT, LONGEST_WAIT, QUICK, WIDE, WINDOW, Download, Place


def artifact(name, length, seed=0):
    """An artifact and the blobs it consists of."""
    data = random.Random(seed).randbytes(length)
    parts = chunks.split(data)
    blobs = {chunks.digest(part): part for part in parts}
    index = ""
    if len(parts) > 1:
        listed = chunks.encode_index([chunks.digest(part) for part in parts])
        index = chunks.digest(listed)
        blobs[index] = listed
    return ArtifactRef("function", name, 1, chunks.digest(data), length, index), blobs


LARGE, BLOBS = artifact("large", 9 * chunks.CHUNK_SIZE + 1)
SMALL, SMALL_BLOBS = artifact("small", 1000, seed=1)
BLOBS.update(SMALL_BLOBS)
DATA = random.Random(0).randbytes(LARGE.length)


class Disk:
    """Keeps chunks at their places, as the store does."""

    def __init__(self, stored=()):
        self.places = {}
        self.indexes = {digest: BLOBS[digest] for digest in stored if digest in BLOBS}

    def read(self, digest):
        return self.indexes.get(digest)

    def lacking(self, digest, listed):
        return {
            chunk
            for number, chunk in enumerate(listed)
            if self.places.get((digest, number * chunks.CHUNK_SIZE)) != chunk and chunk not in self.indexes
        }

    def keep(self, places, digest):
        for place in places:
            if place.blob == digest:
                self.indexes[digest] = BLOBS[digest]
            else:
                self.places[place.blob, place.offset] = digest

    def stored(self):
        return set(self.indexes) | set(self.places.values())


def download(refs, disk=None, seed=0):
    return Download(refs, disk or Disk(), random.Random(seed))


def receive(made, digest, now=0.0, disk=None):
    places = made.receive(digest, BLOBS[digest], now)
    if disk:
        disk.keep(places, digest)
    return bool(places)


class Downloads(RuleBasedStateMachine):
    """A download over a link that loses, damages and repeats, on a board that restarts."""

    def __init__(self):
        super().__init__()
        self.disk, self.now = Disk(), 0.0
        self.restart(0)

    @rule(seed=st.integers(0, 9))
    def restart(self, seed):
        self.made, self.subscribed = download([LARGE, SMALL], self.disk, seed), set()
        self.step()

    @rule()
    def reconnect(self):
        self.subscribed = set(self.made.again(self.now).subscribe)
        self.step()

    @rule()
    def lose(self):
        self.now += FIRST_WAIT
        self.step()

    @precondition(lambda self: self.subscribed)
    @rule(data=st.data(), times=st.integers(1, 2))
    def arrive(self, data, times):
        digest = data.draw(st.sampled_from(sorted(self.subscribed)))
        lacked = digest not in self.disk.stored()
        kept = [receive(self.made, digest, self.now, self.disk) for _ in range(times)]
        assert kept == [lacked, False][:times]
        self.step()

    @precondition(lambda self: self.subscribed)
    @rule(data=st.data())
    def damage(self, data):
        assert not self.made.receive(data.draw(st.sampled_from(sorted(self.subscribed))), b"rot", self.now)
        self.step()

    def step(self):
        actions = self.made.step(self.now)
        assert set(actions.want) <= self.subscribed & set(actions.subscribe)
        self.subscribed = (self.subscribed | set(actions.subscribe)) - set(actions.unsubscribe)

    @invariant()
    def only_what_lacks_is_subscribed_to_a_few_at_a_time(self):
        assert self.subscribed == set(self.made.asked())
        assert len(self.subscribed) <= WIDE
        # Those that arrived are let go of together, while others are on their way.
        assert len(self.subscribed & self.disk.stored()) < WIDE // 2
        assert bool(self.subscribed) != self.made.done

    @invariant()
    def progress_is_what_is_on_disk(self):
        stored = self.disk.stored()
        counted = stored if LARGE.index in stored else {SMALL.digest} & stored
        assert self.made.stored == sum(len(BLOBS[digest]) for digest in counted - {LARGE.index})

    def teardown(self):
        while not self.made.done:
            for digest in sorted(self.subscribed):
                receive(self.made, digest, self.now, self.disk)
            self.step()
        assert self.made.stored == self.made.total == LARGE.length + SMALL.length
        assert not self.disk.lacking(LARGE.digest, self.made.chunks(LARGE))
        assert b"".join(BLOBS[each] for each in self.made.chunks(LARGE)) == DATA
        assert self.made.blobs() == {LARGE.index, LARGE.digest, SMALL.digest}


TestDownloads = Downloads.TestCase


def test_the_index_comes_first():
    actions = download([SMALL, LARGE]).step(0.0)
    assert actions.subscribe == [LARGE.index, SMALL.digest]


def test_every_device_has_an_order_of_its_own():
    orders = set()
    for seed in range(5):
        made = download([LARGE], Disk([LARGE.index]), seed)
        orders.add(tuple(made.step(0.0).subscribe))
    assert len(orders) == 5


def test_what_is_on_disk_is_not_asked_for():
    made = download([LARGE, SMALL], Disk(BLOBS))
    assert made.done
    assert made.step(0.0).subscribe == []


def test_chunks_found_when_the_index_arrives_are_not_asked_for():
    made = download([LARGE], Disk(set(BLOBS) - {LARGE.index}))
    made.step(0.0)
    receive(made, LARGE.index)
    assert made.done


def test_what_does_not_arrive_is_asked_for_ever_less_often():
    made = download([SMALL])
    made.step(0.0)
    asked, now = [], 0.0
    while now < 500:
        now = made.due()
        assert made.step(now - 0.01).want == []
        assert made.step(now).want == [SMALL.digest]
        asked.append(now)
    gaps = [b - a for a, b in itertools.pairwise(asked)]
    assert gaps[0] == 2 * FIRST_WAIT
    assert gaps[-1] == LONGEST_WAIT


def test_a_damaged_chunk_is_counted_and_asked_for_at_once_but_not_in_a_storm():
    made = download([SMALL])
    made.step(0.0)
    wants = 0
    for _ in range(100):
        assert not made.receive(SMALL.digest, b"rot", 0.0)
        wants += len(made.step(0.0).want)
    assert (made.corrupt, wants) == (100, 1)


def test_the_unsolicited_and_the_oversized_are_dropped():
    made = download([SMALL])
    assert not made.receive(SMALL.digest, BLOBS[SMALL.digest], 0.0)
    made.step(0.0)
    assert not made.receive(chunks.digest(b"x"), b"x", 0.0)
    assert not made.receive(SMALL.digest, bytes(chunks.CHUNK_SIZE + 1), 0.0)
    assert not made.done


@pytest.mark.parametrize("index", [b"rubbish", b'{"chunks": []}', b'{"chunks": ["../../x"]}'])
@pytest.mark.parametrize("on_disk", [True, False])
def test_an_index_that_cannot_be_the_artifacts_is_refused(index, on_disk):
    ref = ArtifactRef("function", "large", 1, "a" * 64, LARGE.length, chunks.digest(index))
    with pytest.raises(BadArtifactError, match="large v1 cannot be fetched"):
        if on_disk:
            disk = Disk()
            disk.indexes[ref.index] = index
            download([ref], disk)
        else:
            made = download([ref])
            made.step(0.0)
            made.receive(ref.index, index, 0.0)


def test_a_chunk_that_stands_in_several_places_is_asked_for_once():
    data = bytes(4 * chunks.CHUNK_SIZE)
    (part, *_) = chunks.split(data)
    index = chunks.encode_index([chunks.digest(part)] * 4)
    ref = ArtifactRef("function", "zeros", 1, chunks.digest(data), len(data), chunks.digest(index))
    disk = Disk()
    disk.indexes[ref.index] = index
    made = download([ref, ref], disk)
    assert made.step(0.0).subscribe == [chunks.digest(part)]
    places = made.receive(chunks.digest(part), part, 0.0)
    assert places == [Place(ref.digest, number * chunks.CHUNK_SIZE) for number in range(4)]
    assert made.done
    assert made.stored == made.total


def test_a_chunk_of_two_artifacts_is_stored_in_both_however_late_the_second_index_comes():
    data = random.Random(2).randbytes(2 * chunks.CHUNK_SIZE)
    refs, indexes = [], {}
    for extra in (b"", b"more"):
        listed = [chunks.digest(part) for part in chunks.split(data + extra)]
        index = chunks.encode_index(listed)
        indexes[chunks.digest(index)] = index
        whole = data + extra
        refs.append(ArtifactRef("model", "m", 1, chunks.digest(whole), len(whole), chunks.digest(index)))
    parts = {chunks.digest(part): part for part in chunks.split(data + b"more")}
    disk = Disk()
    disk.indexes[refs[0].index] = indexes[refs[0].index]
    made = download(refs, disk)
    stored, late = set(), []
    asked = made.step(0.0).subscribe
    while not made.done:
        digest = asked.pop(0)
        if digest == refs[1].index and not late:
            late.append(digest)
            asked.append(digest)
            continue
        stored |= {(place, digest) for place in made.receive(digest, {**parts, **indexes}[digest], 0.0)}
        asked += made.step(0.0).subscribe
    for ref in refs:
        for number, digest in enumerate(made.chunks(ref)):
            assert (Place(ref.digest, number * chunks.CHUNK_SIZE), digest) in stored
    assert made.stored == made.total


class Link:
    """A download of 100 chunks over a link on which one at a time arrives, in the order asked for."""

    def __init__(self):
        self.ref, self.blobs = artifact("long", 100 * chunks.CHUNK_SIZE, seed=7)
        self.made = download([self.ref])
        self.now, self.asked = 0.0, []
        self.step()

    def step(self):
        self.asked = list(dict.fromkeys([*self.asked, *self.made.step(self.now).subscribe]))

    def arrive(self, took):
        self.now += took
        digest = self.asked.pop(0)
        self.made.receive(digest, self.blobs[digest], self.now)
        self.step()


def test_the_window_is_wide_while_chunks_come_quickly():
    link = Link()
    link.arrive(0.0)  # the index, which says nothing of what a whole chunk takes
    assert len(link.asked) == WINDOW
    for _ in range(20):
        link.arrive(0.0)
    assert WIDE // 2 < len(link.asked) <= WIDE
    for _ in range(20):
        link.arrive(2 * QUICK)
    assert 0 < len(link.asked) <= WINDOW


def test_the_window_stays_narrow_on_a_slow_link():
    link = Link()
    link.arrive(0.0)
    for _ in range(40):
        link.arrive(2 * QUICK)
        assert len(link.asked) <= WINDOW


def test_on_a_slow_link_what_is_only_late_is_not_asked_for_again():
    ref, blobs = artifact("long", 60 * chunks.CHUNK_SIZE, seed=7)
    made = download([ref])
    asked, now, again = made.step(0.0).subscribe, 0.0, []
    while asked:
        # One chunk every three seconds, in the order asked for: what is last in the window takes twelve.
        for _ in range(30):
            now += 0.1
            again += made.step(now).want
        made.receive(asked[0], blobs[asked[0]], now)
        asked = asked[1:] + made.step(now).subscribe
    assert made.done
    assert len(again) <= 2 * WINDOW  # before it knows the pace of the link
