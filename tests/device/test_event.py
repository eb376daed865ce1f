"""Events as other systems read them."""

import json

from device.event import Event


def test_an_event_has_every_attribute_that_cloudevents_demands():
    event = Event(
        "lamp-1", "/home/desk-pi/1-ab/sensor/light", "lamplight.sensor.reading", 1764000000.25, {"lux": 1}, "light"
    )
    assert json.loads(json.dumps(event.cloudevent())) == {
        "specversion": "1.0",
        "id": "lamp-1",
        "source": "/home/desk-pi/1-ab/sensor/light",
        "type": "lamplight.sensor.reading",
        "subject": "light",
        "time": "2025-11-24T16:00:00.250Z",
        "datacontenttype": "application/json",
        "data": {"lux": 1},
    }


def test_an_empty_subject_is_left_out_for_cloudevents_allows_none():
    assert "subject" not in Event("a", "/s", "t", 0.0, None).cloudevent()
