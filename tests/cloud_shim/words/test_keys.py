"""What people are told of keys: when they must sign again, and only then."""

from datetime import timedelta

import pytest

from cloud_shim.cli.keys.release_keys import ReleaseKeys
from cloud_shim.cli.keys.root_keys import RootKeys
from cloud_shim.trust.release_metadata import RELEASES, ROOT, utc_now
from cloud_shim.words.keys import notices
from tests.support import every_release

SOON = timedelta(days=29)


def answer(signing):
    return {"held": signing.held(), "director_root": signing.director_root(), "image": signing.image()}


@pytest.fixture
def taken(signing, tmp_path):
    """A shim whose release and root keys lie on another machine."""
    keys = ReleaseKeys(tmp_path / "keys", signing.image())
    signing.adopt(keys.take(signing.image(), every_release(signing.image())))
    roots = {"image": signing.image()["root"][-1], "director": signing.director_root()}
    signing.adopt(RootKeys(keys.folder, roots).take_director())
    return signing


def test_what_the_shim_renews_itself_is_nobodys_care(signing):
    assert notices(answer(signing), utc_now() + 2 * ROOT) == []


def test_signatures_that_are_good_for_long_are_not_told_of(taken):
    assert notices(answer(taken), utc_now()) == []


def test_lists_of_releases_that_end_soon_are_to_be_renewed(taken):
    told = notices(answer(taken), utc_now() + RELEASES - SOON)
    assert [each.partition(" signed")[0] for each in told] == ["What image-targets", "What image-releases"]
    assert all("is good until" in each and "`lamplight keys renew`" in each for each in told)


def test_lists_that_have_ended_say_what_it_means(taken):
    first = notices(answer(taken), utc_now() + RELEASES + SOON)[0]
    assert "was good until" in first
    assert "devices take nothing new" in first


def test_a_root_is_renewed_by_another_one(taken):
    told = notices(answer(taken), utc_now() + ROOT - SOON)
    roots = [each for each in told if "-root" in each]
    assert len(roots) == 2
    assert all("`lamplight keys rotate`" in each for each in roots)
