"""Reads a YAML file of strangers as plain values with their lines; CloudFormation's `!Ref` and its kin as Calls.

PyYAML's safe composer reads the text; the values are made here, counted. So a file that grows when it is read (aliases
of aliases), one nested too deeply, or a tag that would make an object, is an error with its line.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml
from yaml.constructor import SafeConstructor
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from device.errors import BadArtifactError, NotFoundError

MAX_BYTES = 1 << 20
MAX_VALUES = 50_000
MAX_DEPTH = 60
_YAML = "tag:yaml.org,2002:"
_PLAIN = frozenset(
    f"{_YAML}{each}" for each in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq", "merge")
)
_TYPED = (f"{_YAML}int", f"{_YAML}float", f"{_YAML}bool", f"{_YAML}null")
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
_CALLS = frozenset(
    [
        *("And", "Base64", "Cidr", "Condition", "Contains", "EachMemberEquals", "EachMemberIn", "Equals", "FindInMap"),
        *("ForEach", "GetAZs", "GetAtt", "If", "ImportValue", "Join", "Length", "Not", "Or", "Ref", "RefAll"),
        *("Select", "Split", "Sub", "ToJsonString", "Transform", "ValueOf", "ValueOfAll"),
    ]
)


@dataclass(frozen=True)
class Call:
    """A function of CloudFormation, to be computed by the cloud: `!GetAtt Table.Arn`, or {"Fn::GetAtt": …}."""

    name: str
    argument: Any
    line: int

    def __str__(self) -> str:
        return f"!{self.name} {self.argument}" if isinstance(self.argument, str) else f"!{self.name} …"


class Table(dict[str, Any]):
    """A mapping; `lines` has the line of each key, `line` its own."""

    def __init__(self, line: int = 0) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}

    def at(self, key: str) -> int:
        """The line of a key; the table's own for one that it lacks."""
        return self.lines.get(key, self.line)

    def table(self, key: str) -> "Table":
        """The table at `key`; an empty one when there is no table."""
        value = self.get(key)
        return value if isinstance(value, Table) else Table(self.at(key))


def listed(value: object) -> list[Any]:
    """A list as it is, and [] for any other value."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def read(path: Path) -> Table:
    """The file's mapping; raises NotFoundError or BadArtifactError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise NotFoundError(f"{path} cannot be read", error.strerror or str(error)) from None
    if len(data) > MAX_BYTES:
        raise BadArtifactError(f"{path.name} is too long", f"at most {MAX_BYTES} bytes are read")
    try:
        node = cast("Node | None", yaml.compose(data.decode(), Loader=yaml.SafeLoader))  # pyright: ignore[reportUnknownMemberType]
        value = _Reader(path.name).value(node, 0) if node else None
    except yaml.YAMLError as error:
        raise BadArtifactError(f"{path.name} is not YAML", _told(error)) from None
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise BadArtifactError(f"{path.name} is not YAML", why) from None
    if not isinstance(value, Table):
        raise BadArtifactError(f"{path.name} describes nothing", "at its top there is no table of names and values")
    return value


def _told(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"line {mark.line + 1}: {problem}" if mark else str(problem)


class _Reader:
    """Makes values of nodes, and counts them: an alias counts as often as it is named."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._count = 0
        self._scalars = SafeConstructor()

    def value(self, node: Node, depth: int) -> Any:
        line = node.start_mark.line + 1
        self._count += 1
        if self._count > MAX_VALUES:
            raise self._refused(line, f"it grows to more than {MAX_VALUES} values when it is read")
        if depth > MAX_DEPTH:
            raise self._refused(line, f"it is nested more than {MAX_DEPTH} levels deep")
        if node.tag in _PLAIN:
            return self._plain(node, depth, line)
        name = node.tag.removeprefix("!")
        if node.tag.startswith("!") and name in _CALLS:
            return Call(name, self._plain(node, depth, line), line)
        shown = node.tag.replace(_YAML, "!!")
        raise self._refused(line, f"the tag {shown!r:.60} stands for more than data; such a value is not made")

    def _plain(self, node: Node, depth: int, line: int) -> Any:
        if isinstance(node, SequenceNode):
            return [self.value(each, depth + 1) for each in node.value]
        if isinstance(node, MappingNode):
            return self._called(self._table(node, depth, line))
        assert isinstance(node, ScalarNode)
        try:
            # A date stays as it is written: CloudFormation's own versions look like one.
            return self._scalar(node) if node.tag in _TYPED else node.value
        except ValueError as error:
            raise self._refused(line, str(error)) from None

    def _scalar(self, node: ScalarNode) -> Any:
        return cast("Any", self._scalars.construct_object(node))  # pyright: ignore[reportUnknownMemberType]

    def _table(self, node: MappingNode, depth: int, line: int) -> Table:
        table, merged = Table(line), list[Table]()
        for key, value in node.value:
            where = key.start_mark.line + 1
            if key.tag == f"{_YAML}merge":
                made = self.value(value, depth + 1)
                merged += [each for each in [made, *listed(made)] if isinstance(each, Table)]
                continue
            if not isinstance(key, ScalarNode):
                raise self._refused(where, "a key is no text")
            if key.value in table:
                raise self._refused(where, f"the key {key.value!r:.60} is there twice")
            table[key.value], table.lines[key.value] = self.value(value, depth + 1), where
        for each in merged:
            for key in each.keys() - table.keys():
                table[key], table.lines[key] = each[key], each.lines[key]
        return table

    def _called(self, table: Table) -> Any:
        """`{"Ref": …}` and `{"Fn::Sub": …}` are the long form of a Call."""
        if len(table) == 1:
            (key,) = table
            name = key.removeprefix("Fn::")
            if key == "Ref" or (name != key and name in _CALLS):
                return Call(name, table[key], table.line)
        return table

    def _refused(self, line: int, why: str) -> BadArtifactError:
        return BadArtifactError(f"{self._name} cannot be read", f"line {line}: {why}")
