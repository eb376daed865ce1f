"""Gives a name of its own to a board that is kept out of another's (twins.py), without a new card.

The board shows the hash of a password that no other board has (device/enrol/own_name.py). A person says which board is
meant, and the holder of that password is from then on the device of the new name. Nothing secret travels, so whoever
holds a copy of the card and hears the new name can do nothing with it. The new device goes on with the deployment that
its board runs.
"""

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy.orm import Session

from cloud_shim.database import Database
from cloud_shim.fleet import board_keys
from cloud_shim.fleet.twins import Twins
from cloud_shim.tables import BoardKeyRow, DeviceRow
from device.errors import NotFoundError, RejectedError
from device.protocol.enrolment import DISPLACED, Answer, Ask, fingerprint


class Steps(NamedTuple):
    """The steps to a new device, each done again without harm: let it in with (name, board, hash), and have (name) go
    on with what (device) was asked for as (generation), asked for (by) somebody.
    """

    admit: Callable[[str, str, str], None]
    go_on: Callable[[str, str, int, str], None]


class Naming:
    """The names given in one fleet."""

    def __init__(self, database: Database, twins: Twins, steps: Steps, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._twins = twins
        self._steps = steps
        self._clock = clock
        self._naming = threading.Lock()

    def answer(self, device: str, ask: Ask) -> Answer | None:
        """What a board hears that asks as a device without being it; None for the device itself."""
        refusal, hardware = self._twins.refusal(device), self._twins.other(device)
        if not refusal or not hardware:
            return None
        return Answer(DISPLACED, refusal, hardware, ask.own, self._noted(device, hardware, ask) if ask.own else "")

    def name(self, device: str, which: str, name: str, by: str) -> None:
        """Give the `name` to the board that `which` means: a fingerprint, a serial number, a mark or both.

        NotFoundError when no such board claims the device's name; RejectedError when it is the device, when its agent
        has shown no password of its own, when several have it, or when the name is taken.
        """
        with self._naming:
            with self._database.read() as session:
                key, board = self._meant(session, device, which), session.get_one(DeviceRow, device).board
            if key.name not in ("", name):
                raise RejectedError(
                    f"{key.hardware} was given the name {key.name} before", "", "it will come in as that"
                )
            # In this order: after an interruption the same again completes it, and the board hears no name before it
            # can come in with it.
            self._steps.admit(name, board, key.hash)
            self._steps.go_on(name, device, key.generation, by)
            with self._database.write() as session:
                session.get_one(BoardKeyRow, (device, key.hash)).name = name
            self._twins.keep(device)

    def _noted(self, device: str, hardware: str, ask: Ask) -> str:
        """Note the hash that the board shows; gives the name that the holder of its password was given."""
        now = self._clock()
        with self._database.read() as session:
            known = session.get(BoardKeyRow, (device, ask.own))
        if known is not None and board_keys.is_noted(known, ask.generation, now):
            return known.name
        with self._database.write() as session:
            return board_keys.note(session, device, ask.own, hardware, ask.generation, now).name

    def _meant(self, session: Session, device: str, which: str) -> BoardKeyRow:
        boards, keys = self._twins.boards(device), board_keys.of(session, device)
        others = {str(each["hardware"]) for each in boards if not each["chosen"]}
        here = {each for each in others if which in _names(each)}
        marked = [key for key in keys if fingerprint(key.hash) == which]
        found = marked or [key for key in keys if key.hardware in here]
        itself = [str(each["hardware"]) for each in boards if each["chosen"]]
        meant = any(which in _names(each) for each in itself) and not here
        if meant or any(key.hardware in itself for key in found):
            raise RejectedError(
                f"{which} is {device}", "", f"choose the other board first: `lamplight devices choose {device} BOARD`"
            )
        if len(found) > 1:
            told = ", ".join(fingerprint(key.hash) for key in found)
            raise RejectedError(
                f"{len(found)} boards say that they are {which}",
                f"their fingerprints: {told}",
                "name the one by the fingerprint that the right board logs",
            )
        if not found and here:
            raise _too_old(device, which)
        if not found:
            known = ", ".join(str(each["hardware"]) for each in boards) or "none"
            raise NotFoundError(f"No board {which!r} claims {device}", f"those that do: {known}")
        return found[0]


def _names(hardware: str) -> tuple[str, ...]:
    return (hardware, *hardware.split("/"))


def _too_old(device: str, which: str) -> RejectedError:
    return RejectedError(
        f"The board {which} cannot be given a name",
        "it has shown no password of its own: its agent is too old to have one, or made no attempt since the shim asks",
        f"wait for its next attempt, within an hour or so; with an old agent, make it {device} until it has the newest "
        "(`lamplight devices choose`), or write it a card with another name (`python flash.py image --name`)",
    )
