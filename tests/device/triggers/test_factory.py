"""Every trigger that a manifest may declare can be made."""

import pytest

import boards
from device.config import HttpConfig
from device.errors import LamplightError
from device.protocol import triggers
from device.triggers import MAKERS, Sources, make


class Silent:
    """A board whose sensor and pins do not answer."""

    board = boards.load("lamplight/simulated")

    def sensor(self, name):
        raise OSError

    def edges(self, pin, pull):
        raise OSError


@pytest.fixture
def sources(tmp_path):
    made = Sources(Silent(), lambda *record: None, http=HttpConfig(port=0), folders={"inbox": tmp_path})
    yield made
    made.close()


DECLARED = [
    triggers.CronTrigger("0 7 * * *", "UTC"),
    triggers.FileTrigger("inbox"),
    triggers.FunctionTrigger("other"),
    triggers.GpioTrigger("button"),
    triggers.HttpTrigger("/lamp"),
    triggers.MqttTrigger("light/+"),
    triggers.SensorTrigger("light", 60.0),
    triggers.StartTrigger(),
    triggers.TimerTrigger(60.0),
]


def test_every_declarable_trigger_has_a_maker():
    assert {each.kind for each in DECLARED} == set(MAKERS) == set(triggers.KINDS)


@pytest.mark.parametrize("declared", DECLARED, ids=lambda each: each.kind)
def test_every_declarable_trigger_is_made_and_closed(declared, sources):
    make(declared, lambda *event: None, lambda *event: None, sources).close()


def test_the_start_trigger_delivers_once(sources):
    events = []
    make(triggers.StartTrigger(), lambda *event: events.append(event), lambda *event: None, sources).close()
    assert events == [("start", "lamplight.start", {})]


def test_a_folder_that_the_operator_did_not_grant_is_refused_with_those_he_did(sources):
    with pytest.raises(LamplightError, match="grants: inbox"):
        make(triggers.FileTrigger("keys"), lambda *event: None, lambda *event: None, sources)
