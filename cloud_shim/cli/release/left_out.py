"""The files of a function's folder that stay on the developer's machine: editors' leftovers, environments, chosen ones.

`.lamplightignore` in the folder has patterns as `.gitignore` has them; `!pattern` takes a usual one in again. Hidden
files, caches and the folder `tests` stay out in any case: archive.py sees to it.
"""

from pathlib import Path, PurePosixPath

from pathspec import GitIgnoreSpec

from device import texts
from device.artifact import archive
from device.errors import UsageError

IGNORE = ".lamplightignore"
# Of Vim, Emacs, patch and git, the Finder, Explorer; packages and folders of other tools.
_USUAL = (
    *("*~", "\\#*#", "*.swp", "*.swo", "*.orig", "*.rej", "Thumbs.db", "desktop.ini"),
    *("node_modules/", "*.egg-info/", "*.log"),
)
# The Finder's own for a folder's picture; no pattern can name it.
_PICTURE = "Icon\r"
# The mark of a virtual environment (PEP 405).
_ENVIRONMENT = "pyvenv.cfg"
_TOLD = 5


class LeftOut:
    """The rules of the function in `folder`. Raises UsageError for an unreadable file of patterns."""

    def __init__(self, folder: Path) -> None:
        self._spec = GitIgnoreSpec.from_lines([*_USUAL, *_patterns(folder / IGNORE)])
        found = folder.glob(f"**/{_ENVIRONMENT}")
        self._environments = sorted(each.parent.relative_to(folder).as_posix() for each in found)

    def keeps(self, name: str) -> bool:
        """Whether the file of this name travels."""
        left = PurePosixPath(name).name == _PICTURE or self._spec.match_file(name)
        return not left and not self._environment(name)

    def of(self, folder: Path) -> list[str]:
        """What stays here, for a person: file names, and environments as a whole; [] for nothing."""
        names = [name for name in archive.travelling(folder) if not self.keeps(name)]
        shown = {
            f"{at}/ (a virtual environment)" if (at := self._environment(name)) else _shown(name) for name in names
        }
        order = sorted(shown)
        return order[:_TOLD] + ([f"and {len(order) - _TOLD} more"] if len(order) > _TOLD else [])

    def _environment(self, name: str) -> str:
        parents = {str(each) for each in PurePosixPath(name).parents}
        return next((each for each in self._environments if each in parents), "")


def _shown(name: str) -> str:
    return name if name.isprintable() else ascii(name)[1:-1]


def _patterns(file: Path) -> list[str]:
    try:
        lines = texts.decoded(file.read_bytes()).splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read", str(error), "Write it as .gitignore, in UTF-8") from None
    for number, line in enumerate(lines, 1):
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError as error:
            raise UsageError(f"{file}, line {number} is no pattern", str(error), "Write it as in .gitignore") from None
    return lines
