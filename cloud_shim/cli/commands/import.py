"""`lamplight import SOURCE`: make a function of ours out of a cloud's: its template, or the folder of its code."""

from pathlib import Path

import click

from cloud_shim.cli.moving import plain_folder, sam, serverless, writing, yaml_file
from cloud_shim.cli.moving.found import Found
from cloud_shim.cli.options import Options, command
from device.errors import BadArtifactError, LamplightError, NotFoundError, UsageError
from device.protocol.cloud import AWS, TENCENT

# What the clouds' tools call a description, in the order in which a folder is looked through.
_DESCRIPTIONS = ("template.yaml", "template.yml", "template.json", "serverless.yml", "serverless.yaml")


@command("import")
@click.argument("source", metavar="TEMPLATE|FOLDER")
@click.argument("folder", default="functions")
@click.option("--handler", metavar="FILE.FUNCTION", default="", help="The handler, of a folder without a description.")
@click.option("--runtime", type=click.Choice([AWS, TENCENT]), help="The cloud of that handler.")
def run(options: Options, source: str, folder: str, handler: str, runtime: str | None) -> None:
    """Write a function.toml for handlers of AWS Lambda or Tencent SCF, and say what could not be carried over.

    TEMPLATE is a SAM template or a serverless.yml: each function of it becomes a folder in FOLDER (default:
    `functions`), with a copy of its code. A FOLDER of plain code gets its function.toml there.
    """
    path = _description(Path(source))
    if path is None:
        found = plain_folder.read(Path(source), handler, runtime or "")
        writing.finish(found, found.functions[0], Path(source))
        folders = [Path(source)]
    elif handler or runtime:
        raise UsageError("--handler and --runtime are for a folder of plain code", f"{path} says it")
    else:
        found = _read(path)
        made = [writing.write(found, function, Path(folder)) for function in found.functions]
        folders = [each for each in made if each]
    _tell(options, found, folders)
    if not folders:
        raise LamplightError(f"{source} has no function that can be carried over", "the lines above say why")


def _description(source: Path) -> Path | None:
    """The file to read; None for a folder of plain code."""
    if source.is_file():
        return source
    if not source.is_dir():
        raise NotFoundError(f"There is no {source}", "", "Name a template.yaml, a serverless.yml or a folder of code")
    return next((source / name for name in _DESCRIPTIONS if (source / name).is_file()), None)


def _read(path: Path) -> Found:
    table = yaml_file.read(path)
    if "Resources" in table:
        return sam.read(table, path)
    if "component" in table or "provider" in table:
        return serverless.read(table, path)
    raise BadArtifactError(
        f"{path.name} is no description of functions", "it has neither Resources, nor a provider or a component"
    )


def _tell(options: Options, found: Found, folders: list[Path]) -> None:
    ordered = sorted(found.left, key=lambda each: (not each.line, each.line))
    left = [{"line": each.line, "what": each.what, "why": each.why, "remedy": each.remedy} for each in ordered]
    options.terminal.data({"folders": [str(each) for each in folders], "left": left})
    for each in ordered:
        options.terminal.say(("left: ", "bold yellow"), str(each))
    if not options.as_json:
        for each in folders:
            options.terminal.data(str(each), [(str(each), "")])
