"""The kernel's or systemd's word that a time server has set the clock."""

import pytest

from device.trust import synchronised as module
from device.trust.synchronised import synchronised


@pytest.mark.parametrize(("state", "expected"), [(0, True), (4, True), (5, False), (-1, False)])
def test_the_kernels_word_counts(tmp_path, monkeypatch, state, expected):
    monkeypatch.setattr(module, "_state", lambda: state)
    assert synchronised(tmp_path) is expected


def test_the_file_of_systemd_counts_for_hours_without_a_network(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_state", lambda: 5)
    (tmp_path / "run/systemd/timesync").mkdir(parents=True)
    (tmp_path / "run/systemd/timesync/synchronized").touch()
    assert synchronised(tmp_path)


def test_asking_the_kernel_changes_nothing_and_never_fails():
    assert -1 <= module._state() <= 5
