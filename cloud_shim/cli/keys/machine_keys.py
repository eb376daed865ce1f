"""The keys on this machine for the fleet of the shim in use, and the changes waiting for other machines."""

from typing import Any

from cloud_shim.cli.keys import release_keys
from cloud_shim.cli.keys.release_keys import ReleaseKeys
from cloud_shim.cli.keys.root_keys import RootKeys
from cloud_shim.cli.options import Options


def tell_pending(options: Options, answer: dict[str, Any]) -> None:
    """Tell of the changes still waiting for signatures, and of the command that adds them."""
    for repository, each in answer["pending"].items():
        options.terminal.say(
            f"A change of the {repository} repository's keys is not in force: it lacks signatures ({each['lacks']}). "
            "`lamplight keys sign` on other machines with a root key adds them"
        )


def when(answer: dict[str, Any], done: str) -> str:
    """`done`, with "Once enough have signed" before it while signatures are missing."""
    return f"Once enough have signed: {done}" if answer["pending"] else done


def release_keys_of(answer: dict[str, Any]) -> ReleaseKeys:
    """This machine's release keys for the fleet of the answering shim."""
    return ReleaseKeys(release_keys.home(), answer["image"])


def root_keys_of(answer: dict[str, Any]) -> RootKeys:
    """This machine's root keys for the fleet of the answering shim."""
    folder = release_keys_of(answer).folder
    return RootKeys(folder, {"image": answer["image"]["root"][-1], "director": answer["director_root"]})
