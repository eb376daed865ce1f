"""The table of docs/packages.md: `python -m tests.popular` resolves the packages people ask for, for each image.

It asks the configured index, by the very code of `lamplight deploy`. `--keep FILE` holds the answers, so that an
interrupted run goes on. It only resolves: no package is unpacked or tried.
"""

import argparse
import json
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import Version

from cloud_shim.cli.release import brought, pip_process
from cloud_shim.cli.release.instead import INSTEAD
from cloud_shim.cli.release.source import rounds
from cloud_shim.cli.release.source.builder import Builder
from cloud_shim.cli.release.target import Platform
from cloud_shim.cli.release.wheels import Question, Target
from device import durable
from device.errors import LamplightError

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "packages.md"
LIST = Path(__file__).with_suffix(".toml")
# Raspberry Pi OS Bookworm and Trixie for 64 bits, and Debian Trixie on a BeagleBone.
IMAGES = {
    "Bookworm, aarch64, Python 3.11": Platform("aarch64", (3, 11), 36, "3.11.2"),
    "Trixie, aarch64, Python 3.13": Platform("aarch64", (3, 13), 41, "3.13.5"),
    "Trixie, armv7l, Python 3.13": Platform("armv7l", (3, 13), 41, "3.13.5"),
}
_BEGIN, _END = "<!-- the table: written by `python -m tests.popular` -->\n", "<!-- end of the table -->"


@dataclass(frozen=True)
class Answer:
    """What a resolution gave: the version and how many packages, or why none; `older` names a newer version.

    `built` are the packages that `--allow-build` has to build for it.
    """

    version: str = ""
    count: int = 0
    older: str = ""
    why: str = ""
    built: str = ""


def wanted() -> tuple[dict[str, list[str]], dict[str, str]]:
    """The packages by subject, and what to use instead of some."""
    told = tomllib.loads(LIST.read_text("utf-8"))
    return told["packages"], INSTEAD


def resolve(name: str, platform: Platform, pip: pip_process.Pip) -> Answer:
    """The answer for one package on one image, whose workers have Blinka."""
    known = brought.versions({}, models=False)
    target = Target(name, "", platform)
    question = Question([name], (), known, target)
    with tempfile.TemporaryDirectory(prefix="lamplight-popular-") as work:
        try:
            found = rounds.resolve(question, (), Path(work, "wheels"), pip, None)
        except LamplightError as refused:
            builder = Builder(target, Path(work, "built"), pip, lambda _: None)
            try:
                found = rounds.resolve(question, (), Path(work, "sources"), pip, builder)
            except LamplightError as error:
                return Answer(why=reason(error if "C code" in error.what else refused))
    own = canonicalize_name(name)
    if own in found.met:
        return Answer(known[own], 0)
    chosen = next(each for each in found.wheels if each.name == own)
    older = [
        f"{each.name} {each.version}, for {found.passed[each.name].version} has {found.passed[each.name].why}"
        for each in found.wheels
        if each.name in found.passed and found.passed[each.name].version > Version(each.version)
    ]
    built = ", ".join(each.name for each in found.wheels if each.source)
    return Answer(chosen.version, len(found.wheels), "; ".join(older), built=built)


def reason(error: LamplightError) -> str:
    """Why it failed, as a table has room for it."""
    if "C code" in error.what:
        return error.what.partition(",")[0]
    told = (error.why or error.what).replace("only wheels are taken, for nothing is built on a board: ", "")
    return told.rpartition("; ")[2]


def table(answers: dict[str, Answer]) -> str:
    """The page's part: how many resolve on each image with all answers, and a row for each package."""
    subjects, instead = wanted()
    names = [name for group in subjects.values() for name in group]
    images = [image for image in IMAGES if all(key(name, image) in answers for name in names)]
    lines = [f"{len(names)} packages were asked for.", "", "| image | resolved |", "| --- | --- |"]
    for image in images:
        good = sum(bool(answers[key(name, image)].version) for name in names)
        lines.append(f"| {image} | {good} of {len(names)} ({100 * good / len(names):.1f} %) |")
    for subject, group in subjects.items():
        lines += [
            "",
            f"### {subject}",
            "",
            f"| package | {' | '.join(images)} | |",
            f"| --- |{' --- |' * len(images)} --- |",
        ]
        lines += [_row(name, [answers[key(name, image)] for image in images], instead) for name in group]
    return "\n".join([*lines, ""])


def _row(name: str, given: list[Answer], instead: dict[str, str]) -> str:
    cells = [f"{each.version}{_others(each)}" if each.version else f"– {each.why}" for each in given]
    notes = dict.fromkeys(f"an older {each.older}" for each in given if each.older)
    notes |= dict.fromkeys(f"`--allow-build` builds {each.built}" for each in given if each.built)
    alternative = instead.get(canonicalize_name(name), "")
    if alternative and not all(each.version for each in given):
        notes[f"instead: {alternative}"] = None
    return (
        "| "
        + " | ".join(each.replace("|", "\\|").replace("\n", " ") for each in [name, *cells, "; ".join(notes)])
        + " |"
    )


def _others(answer: Answer) -> str:
    return f" (+{answer.count - 1})" if answer.count > 1 else " (the board's)" if not answer.count else ""


def key(name: str, image: str) -> str:
    """The answer's name among those kept."""
    return f"{name} / {image}"


def written(page: str, part: str) -> str:
    """The page with the table as it should be."""
    before, rest = page.split(_BEGIN)
    _, after = rest.split(_END)
    return f"{before}{_BEGIN}{part}{_END}{after}"


def main() -> None:
    """Resolve what is not kept yet, and write the page once all is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, required=True, help="answers already given, and the new ones")
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--image", choices=[*IMAGES], action="append", help="this one only; may be given again")
    given = parser.parse_args()
    kept = json.loads(given.keep.read_text("utf-8")) if given.keep.is_file() else {}
    subjects, _ = wanted()
    asked = [(name, image) for image in given.image or IMAGES for group in subjects.values() for name in group]
    missing = [each for each in asked if key(*each) not in kept]
    pip = pip_process.prepared()
    with ThreadPoolExecutor(given.at_once) as pool:
        for (name, image), answer in zip(
            missing, pool.map(lambda each: resolve(each[0], IMAGES[each[1]], pip), missing), strict=True
        ):
            kept[key(name, image)] = asdict(answer)
            durable.write_file(given.keep, json.dumps(kept, indent=1).encode())
            print(f"{key(name, image)}: {answer.version or answer.why}", flush=True)
    PAGE.write_text(
        written(PAGE.read_text("utf-8"), table({name: Answer(**each) for name, each in kept.items()})), "utf-8"
    )


if __name__ == "__main__":
    main()
