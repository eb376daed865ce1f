"""Every trigger that a manifest may declare can be made."""

from device.protocol.manifest import TRIGGERS, Trigger
from device.triggers import make
from device.triggers.sensor import SensorHub


class Silent:
    def read(self):
        raise OSError

    def close(self):
        pass


def test_every_declarable_trigger_is_made_and_closed():
    hub = SensorHub(lambda name: Silent(), ["light"], lambda *record: None)
    for kind in TRIGGERS:
        make(Trigger(kind, every=60.0, sensor="light"), lambda *event: None, hub).close()
    hub.close()


def test_the_start_trigger_delivers_once():
    events = []
    make(Trigger("start"), lambda *event: events.append(event), SensorHub(lambda name: Silent(), [], print)).close()
    assert events == [("start", "lamplight.start", {})]
