"""Reads a SAM or CloudFormation template: each Python function in it, and a line for all it has besides.

https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification.html has its form.
"""

from pathlib import Path
from typing import Any

from cloud_shim.cli.moving import settings, values
from cloud_shim.cli.moving.found import Found, Function, named
from cloud_shim.cli.moving.sources import DEFAULT, Sources
from cloud_shim.cli.moving.values import Unknown
from cloud_shim.cli.moving.yaml_file import Call, Table, listed
from device.protocol.cloud import ANY

_FUNCTIONS = ("AWS::Serverless::Function", "AWS::Lambda::Function")
_KNOWN = (
    *("CodeUri", "Code", "InlineCode", "Handler", "Runtime", "Timeout", "MemorySize", "Environment", "Events"),
    *("FunctionName", "Description", "EphemeralStorage", "FunctionUrlConfig", "PackageType", "Tags", "Architectures"),
)
_IAM = ("a board has no IAM", "Give it keys of its own in [environment], and network = true, if it calls AWS")
REASONS = {
    **dict.fromkeys(("Policies", "Role", "PermissionsBoundary", "AssumeRolePolicyDocument"), _IAM),
    "VpcConfig": ("a board is in no VPC; it has the network it is plugged into", ""),
    "Layers": (
        "a layer is in the cloud",
        "Write its packages into requirements.txt, or copy its files beside the code",
    ),
    "Tracing": ("there is no X-Ray here", ""),
    "TracingConfig": ("there is no X-Ray here", ""),
    "DeadLetterQueue": ("an event is handled once; the log has its error", ""),
    "DeadLetterConfig": ("an event is handled once; the log has its error", ""),
    "EventInvokeConfig": ("an event is handled once; the log has its error", ""),
    "KmsKeyArn": ("there is no KMS here", ""),
    "AutoPublishAlias": ("each deployment has a number, and a trial before it is kept", ""),
    "DeploymentPreference": ("each deployment has a number, and a trial before it is kept", ""),
    "ReservedConcurrentExecutions": ("a function here has `instances`, from 1 to 16", "Write it in function.toml"),
    "ProvisionedConcurrencyConfig": ("a worker here is always warm", ""),
    "FileSystemConfigs": ("there is no EFS here", "A file trigger, or context.lamplight.state, may do"),
    "ImageUri": ("a container image cannot run on a board", ""),
}


def read(template: Table, path: Path) -> Found:
    """The functions of a template in the file `path`."""
    found = Found()
    for name, resource in template.table("Resources").items():
        line = template.table("Resources").at(name)
        kind = resource.get("Type") if isinstance(resource, Table) else None
        if kind in _FUNCTIONS:
            _Reader(template, path, found, name, resource, line).read()
        else:
            found.leave(line, f"{name} ({kind})", "a resource of the cloud stays there")
    return found


class _Reader:
    """Reads one function resource."""

    def __init__(self, template: Table, path: Path, found: Found, name: str, resource: Table, line: int) -> None:
        self._parameters = template.table("Parameters")
        self._globals = template.table("Globals").table("Function")
        self._own = resource.table("Properties")
        self._base = path.parent
        self._found = found
        self._name = name
        self._line = line
        self._function = Function(found.unused(named(name.removesuffix("Function") or name)), "")
        self._sources = Sources(found, self._function)

    def read(self) -> None:
        """Add the function, or say why it cannot be carried over."""
        function = self._function
        try:
            runtime = self._value("Runtime", "")
            if not settings.python(runtime):
                raise ValueError(f"its runtime is {runtime or 'its own image'!s:.40}, and a board runs Python")
            function.handler = str(self._value("Handler", "index.handler"))
            self._code()
        except ValueError as error:
            self._found.leave(self._line, self._name, f"it cannot be carried over: {error}")
            return
        self._limits()
        for table in (self._globals, self._own):
            settings.variables(self._sources, function, table.table("Environment").table("Variables"), self._resolve)
        self._found.functions.append(function)
        self._url()
        for name, event in self._own.table("Events").items():
            self._event(self._own.table("Events").at(name), name, event)
        for table in (self._globals, self._own):
            settings.ignored(self._sources, table, _KNOWN, REASONS)

    def _resolve(self, value: Any) -> Any:
        return values.of_template(value, self._parameters)

    def _value(self, key: str, default: Any = None) -> Any:
        """The property; the section Globals has it for all functions."""
        return self._resolve(self._own.get(key, self._globals.get(key, default)))

    def _limits(self) -> None:
        own, everybodys = self._own, self._globals
        function, sources = self._function, self._sources
        function.memory = settings.limit(
            sources, own if "MemorySize" in own else everybodys, "MemorySize", self._resolve
        )
        function.timeout = settings.timeout(sources, own if "Timeout" in own else everybodys, "Timeout", self._resolve)
        # Lambda's own; ours is longer.
        function.timeout = function.timeout or 3
        function.scratch = settings.limit(sources, own.table("EphemeralStorage"), "Size", self._resolve)

    def _code(self) -> None:
        code = self._own.get("Code")
        inline = self._own.get("InlineCode") or (code.get("ZipFile") if isinstance(code, Table) else None)
        if inline is not None:
            self._function.inline = str(self._resolve(inline))
            return
        if isinstance(code, (Table, Call)):
            raise ValueError("its code is in a bucket")
        self._function.code = settings.folder(self._base, self._value("CodeUri", code or "."))

    def _url(self) -> None:
        if "FunctionUrlConfig" in self._own or "FunctionUrlConfig" in self._globals:
            self._sources.http(self._own.at("FunctionUrlConfig"), ANY, DEFAULT, "2.0")

    def _event(self, line: int, name: str, event: Any) -> None:
        kind = event.get("Type") if isinstance(event, Table) else None
        take = _EVENTS.get(str(kind))
        if take is None:
            self._sources.leave(line, f"the event {name} ({kind})", "a board has no such source")
            return
        try:
            known = Table(line)
            for key, value in event.table("Properties").items():
                known[key] = value if isinstance(value, (Table, list)) else self._known(key, value)
            if not _disabled(self._sources, line, name, known):
                take(self._sources, line, known)
        except Unknown as error:
            self._sources.leave(line, f"the event {name} ({kind})", str(error))

    def _known(self, key: str, value: Any) -> Any:
        """A value; the reference to another resource of the template is its name."""
        if isinstance(value, Call) and key in _REFERENCES:
            return str((listed(value.argument) or [value.argument])[0]).partition(".")[0]
        return None if isinstance(value, Call) and key in _UNUSED else self._resolve(value)


_REFERENCES = ("Bucket", "Queue", "Topic")
_UNUSED = ("RestApiId", "ApiId", "RoleArn")


def _disabled(sources: Sources, line: int, name: str, event: Table) -> bool:
    if event.get("Enabled") is False or event.get("State") == "DISABLED":
        sources.leave(line, f"the event {name}", "it is switched off")
        return True
    return False


def _api(sources: Sources, line: int, event: Table) -> None:
    sources.http(line, str(event.get("Method", ANY)), str(event.get("Path", DEFAULT)), "1.0")


def _http_api(sources: Sources, line: int, event: Table) -> None:
    payload = "1.0" if str(event.get("PayloadFormatVersion")) == "1.0" else "2.0"
    sources.http(line, str(event.get("Method", ANY)), str(event.get("Path", DEFAULT)), payload)


def _schedule(sources: Sources, line: int, event: Table) -> None:
    if "Input" in event:
        sources.leave(line, "the schedule's Input", "the event is EventBridge's own")
    zone = str(event.get("ScheduleExpressionTimezone", "UTC"))
    sources.schedule(line, event.get("Schedule", event.get("ScheduleExpression", "")), zone)


def _s3(sources: Sources, line: int, event: Table) -> None:
    rules = [each for each in listed(event.table("Filter").table("S3Key").get("Rules")) if isinstance(each, Table)]
    said = {str(each.get("Name")).lower(): str(each.get("Value")) for each in rules}
    sources.bucket(line, str(event.get("Bucket", "bucket")), said.get("prefix", ""), said.get("suffix", ""))


def _queue(sources: Sources, line: int, event: Table) -> None:
    sources.messages(line, "sqs", str(event.get("Queue", "queue")).rpartition(":")[2])


def _topic(sources: Sources, line: int, event: Table) -> None:
    sources.messages(line, "sns", str(event.get("Topic", "topic")).rpartition(":")[2])


def _rule(sources: Sources, line: int, event: Table) -> None:
    sources.rule(line, event.get("Sql", ""))


_EVENTS = {
    "Api": _api,
    "HttpApi": _http_api,
    "Schedule": _schedule,
    "ScheduleV2": _schedule,
    "S3": _s3,
    "SQS": _queue,
    "SNS": _topic,
    "IoTRule": _rule,
}
