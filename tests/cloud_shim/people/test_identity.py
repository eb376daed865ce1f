"""The gate's decision, over every identity and permission."""

import pytest

from cloud_shim.people.identity import GRANTED, ForbiddenError, Identity, Permission, UnknownError, refusal


@pytest.mark.parametrize("wanted", Permission)
@pytest.mark.parametrize("given", [False, True])
def test_nobody_passes_only_what_is_open(wanted, given):
    problem = refusal(None, given, wanted)
    assert problem is None if wanted is Permission.OPEN else isinstance(problem, UnknownError)


@pytest.mark.parametrize("wanted", Permission)
@pytest.mark.parametrize("held", GRANTED.values())
def test_a_permission_includes_those_below_it_and_none_above(held, wanted):
    problem = refusal(Identity("ana", held, "0" * 64), True, wanted)
    assert problem is None if wanted <= held else isinstance(problem, ForbiddenError)


def test_nothing_open_is_granted():
    assert list(GRANTED) == ["view", "operate", "administer"]
