"""Reads a Serverless Framework file: of the providers aws and tencent, and Tencent's component form (`component: scf`).

https://www.serverless.com/framework/docs/providers/aws/guide/serverless.yml has its form.
"""

from pathlib import Path
from typing import Any, cast

from cloud_shim.cli.moving import aws_events, sam, scf_events, settings, values
from cloud_shim.cli.moving.found import Found, Function, named
from cloud_shim.cli.moving.sources import DEFAULT, Sources
from cloud_shim.cli.moving.values import Unknown
from cloud_shim.cli.moving.yaml_file import Table, listed
from device.errors import BadArtifactError
from device.protocol.cloud import ANY, AWS, TENCENT

_PROVIDERS = {"aws": AWS, "tencent": TENCENT}
_KNOWN = ("handler", "runtime", "memorySize", "timeout", "environment", "events", "name", "description", "url", "src")
_KNOWN_TOO = ("package", "tags", "region", "namespace", "architecture", "ephemeralStorageSize", "type")
_REASONS = {
    **{key[0].lower() + key[1:]: why for key, why in sam.REASONS.items()},
    "role": sam.REASONS["Role"],
    "iam": sam.REASONS["Role"],
    "iamRoleStatements": sam.REASONS["Role"],
    "vpc": sam.REASONS["VpcConfig"],
    "vpcConfig": sam.REASONS["VpcConfig"],
    "layers": sam.REASONS["Layers"],
    "layer": sam.REASONS["Layers"],
    "reservedConcurrency": sam.REASONS["ReservedConcurrentExecutions"],
    "provisionedConcurrency": sam.REASONS["ProvisionedConcurrencyConfig"],
    "onError": sam.REASONS["DeadLetterQueue"],
    "destinations": sam.REASONS["DeadLetterQueue"],
    "image": sam.REASONS["ImageUri"],
}
# Of the provider itself; the rest of it is the deployment's in the cloud.
_OF_PROVIDER = ("iam", "iamRoleStatements", "role", "vpc", "vpcConfig", "layers", "tracing")
# What a whole file may have, without loss.
_WHOLE = ("service", "provider", "functions", "custom", "frameworkVersion", "plugins", "package", "app", "org", "stage")
_WHOLE_TOO = ("configValidationMode", "useDotenv", "variablesResolutionMode", "component", "name", "inputs", "stages")


def read(whole: Table, path: Path) -> Found:
    """The functions of the file `path`; raises BadArtifactError for another provider's."""
    found = Found()
    if "component" in whole:
        _component(found, whole, path)
    else:
        _framework(found, whole, path)
    for key in whole:
        if key not in (*_WHOLE, *_WHOLE_TOO):
            found.leave(whole.at(key), key, "a resource of the cloud stays there")
    return found


def _component(found: Found, whole: Table, path: Path) -> None:
    if str(whole["component"]).partition("@")[0] not in ("scf", "tencent-scf"):
        raise BadArtifactError(f"{path.name} describes the component {whole['component']!s:.40}", "only scf is read")
    inputs = whole.table("inputs")
    name = inputs.get("name", whole.get("name", "function"))
    source = inputs.get("src", ".")
    source = source.get("src", ".") if isinstance(source, Table) else source
    variables = inputs.table("environment")
    reader = _Reader(found, whole, path, TENCENT, Table(), str(name), inputs)
    reader.read(source, variables.table("variables") or variables)


def _framework(found: Found, whole: Table, path: Path) -> None:
    provider = whole.get("provider")
    table = whole.table("provider")
    cloud = str(table.get("name") if isinstance(provider, Table) else provider)
    if cloud not in _PROVIDERS:
        raise BadArtifactError(
            f"{path.name} is for {cloud!s:.40}", f"handlers of {' and '.join(_PROVIDERS)} are carried over"
        )
    for name, function in whole.table("functions").items():
        if isinstance(function, Table):
            reader = _Reader(found, whole, path, _PROVIDERS[cloud], table, name, function)
            reader.read(".", function.table("environment"))
        else:
            found.leave(whole.table("functions").at(name), name, "it is described elsewhere", "Write it into this file")
    everybody = Sources(found, Function("provider", ""))
    kept = tuple(key for key in table if key not in _OF_PROVIDER)
    settings.ignored(everybody, table, kept, _REASONS)


class _Reader:
    """Reads one function."""

    def __init__(
        self, found: Found, whole: Table, path: Path, runtime: str, provider: Table, name: str, own: Table
    ) -> None:
        self._found = found
        self._whole = whole
        self._base = path.parent
        self._provider = provider
        self._name = name
        self._own = own
        self._function = Function(found.unused(named(name)), "", runtime)
        self._sources = Sources(found, self._function)

    def read(self, source: Any, environment: Table) -> None:
        """Add the function with its code in `source`, or say why it cannot be carried over."""
        function = self._function
        try:
            runtime = self._value("runtime", "python3" if function.runtime == TENCENT else "")
            if not settings.python(runtime):
                raise ValueError(f"its runtime is {runtime!s:.40}, and a board runs Python")
            function.handler = str(self._value("handler", "index.main_handler"))
            function.code = settings.folder(self._base, self._resolve(source))
        except ValueError as error:
            self._found.leave(self._own.line, self._name, f"it cannot be carried over: {error}")
            return
        self._limits()
        for table in (self._provider.table("environment"), environment):
            settings.variables(self._sources, function, table, self._resolve)
        self._region()
        self._found.functions.append(function)
        self._events()
        settings.ignored(self._sources, self._own, (*_KNOWN, *_KNOWN_TOO), _REASONS)

    def _resolve(self, value: Any) -> Any:
        return values.of_serverless(value, self._whole)

    def _value(self, key: str, default: Any) -> Any:
        """The function's, or the provider's for all."""
        return self._resolve(self._own.get(key, self._provider.get(key, default)))

    def _limits(self) -> None:
        own, everybodys, sources = self._own, self._provider, self._sources
        memory = settings.limit(sources, own if "memorySize" in own else everybodys, "memorySize", self._resolve)
        timeout = settings.timeout(sources, own if "timeout" in own else everybodys, "timeout", self._resolve)
        self._function.scratch = settings.limit(sources, own, "ephemeralStorageSize", self._resolve)
        # The framework's own for AWS, and SCF's.
        aws = self._function.runtime == AWS
        self._function.memory, self._function.timeout = memory or (1024 if aws else 128), timeout or (6 if aws else 3)

    def _region(self) -> None:
        name = {AWS: "AWS_REGION", TENCENT: "TENCENTCLOUD_REGION"}[self._function.runtime]
        try:
            region = self._value("region", "")
        except Unknown:
            return
        if region:
            self._function.environment.setdefault(name, str(region))

    def _events(self) -> None:
        take = aws_events.take if self._function.runtime == AWS else scf_events.take
        for event in listed(self._own.get("events")):
            try:
                take(self._sources, self._known(event), self._payload())
            except Unknown as error:
                line = event.line if isinstance(event, Table) else self._own.at("events")
                self._sources.leave(line, "an event", str(error))
        if self._own.get("url"):
            self._sources.http(self._own.at("url"), ANY, DEFAULT, "2.0")

    def _payload(self) -> str:
        return "1.0" if str(self._provider.table("httpApi").get("payload")) == "1.0" else "2.0"

    def _known(self, value: Any) -> Any:
        """An event with its variables resolved."""
        if isinstance(value, Table):
            made = Table(value.line)
            made.lines.update(value.lines)
            made.update({key: self._known(each) for key, each in value.items()})
            return made
        if isinstance(value, list):
            return [self._known(each) for each in cast("list[Any]", value)]
        return self._resolve(value)
