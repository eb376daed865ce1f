"""What the guardian minds, whoever goes first."""

import os

import pytest
from fake_hardware import FakeHardware

from device.runtime.zygote import guardian
from device.runtime.zygote.guardian import Orders


def said(*packets):
    read, write = os.pipe()
    for packet in packets:
        os.write(write, packet)
    os.close(write)
    return guardian.last(read)


def test_what_was_entrusted_last_counts():
    assert said(b'{"led": false}\n', b'{"led": true, "fan": false}\n') == {"led": True, "fan": False}


def test_an_agent_that_never_said_anything_has_no_outputs():
    assert said() == {}


def test_an_agent_killed_while_it_wrote_leaves_the_line_before_valid():
    assert said(b'{"led": false}\n', b'{"led": tr') == {"led": False}


def test_after_a_close_nothing_is_minded():
    orders = Orders()
    with orders.passing():
        mine = os.dup(orders.fds[0])
    orders.entrust({"led": True})
    orders.close()
    assert guardian.last(mine) == {}


def test_a_guardian_that_is_gone_does_not_disturb_the_agent():
    orders = Orders()
    with orders.passing():
        pass
    orders.entrust({"led": True})
    orders.close()


def test_one_output_that_cannot_be_driven_does_not_cost_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(guardian, "PATIENCE", 0.1)
    hardware = FakeHardware(tmp_path)
    guardian.rest({"no such pin": True, "led": True}, hardware)
    assert hardware.levels("led")[-1] is True


def test_a_zygote_that_cannot_be_made_leaves_no_pipe_behind():
    orders = Orders()
    with pytest.raises(OSError, match="no memory"), orders.passing():
        raise OSError("no memory")
    for fd in orders.fds:
        with pytest.raises(OSError, match="descriptor"):
            os.fstat(fd)
