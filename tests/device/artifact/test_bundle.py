"""What is wrong with a folder is said with the file and the line, and nothing in it is run."""

import pytest

from device.artifact import archive, bundle
from device.errors import BadArtifactError, NotFoundError, RejectedError
from tests.device.harness import function_files, write
from tests.support import small_model

HANDLERS = {
    "a function": b"def handler(event, context): pass",
    "a function with more, by default": b"def handler(event, context, more=None): pass",
    "any parameters": b"def handler(*all): pass",
    "a class": b"class handler: pass",
    "a value": b"handler = print",
    "one of two values": b"other, handler = 1, print",
    "an annotated value": b"handler: object = print",
    "imported": b"from json import dumps as handler",
    "imported with all": b"from json import *",
    "inside a block": b"try:\n    import x\nexcept ImportError:\n    def handler(event, context): pass",
    "decorated": b"@print\ndef handler(event): pass",
    "one with a generator in it": b"def handler(event, context):\n    def each(): yield 1\n    return list(each())",
    "async": b"async def handler(event, context): pass",
    "behind a byte order mark": b"\xef\xbb\xbfdef handler(event, context): pass",
    "with line ends of Windows": b"import x\r\n\r\ndef handler(event, context):\r\n    pass\r\n",
    "with line ends of old Macs": b"import x\rdef handler(event, context):\r    pass\r",
    "the last of two": b"async def handler(): pass\ndef handler(event, context): pass",
}


@pytest.mark.parametrize("how", HANDLERS)
def test_a_handler_may_be(how, tmp_path):
    assert bundle.read(write(tmp_path, function_files(body=HANDLERS[how]))).name == "lamp"


def test_a_handler_may_be_in_a_package(tmp_path):
    manifest = b'name = "lamp"\nhandler = "lights.main:handler"'
    body = HANDLERS["a function"]
    write(tmp_path / "a", {"function.toml": manifest, "lights/main.py": body})
    write(tmp_path / "b", {"function.toml": manifest, "lights/main/__init__.py": body})
    assert bundle.read(tmp_path / "a").module == bundle.read(tmp_path / "b").module == "lights.main"


HTTP = '\n[[triggers]]\ntype = "http"\npath = "/x"\n'


@pytest.mark.parametrize(
    "body",
    [
        b"def handler(event, context):\n    yield 1\n",
        b"async def handler(event, context):\n    yield 1\n",
        b"async def handler(scope, receive, send): pass",
        b"def handler(environ, start_response): pass",
        b"from flask import Flask\nhandler = Flask(__name__)\n",
    ],
)
def test_an_answer_in_parts_and_a_web_application_are_handlers_of_requests(tmp_path, body):
    files = function_files(body=body)
    manifest = files["function.toml"]
    http = HTTP.encode() if isinstance(manifest, bytes) else HTTP
    assert bundle.read(write(tmp_path, {**files, "function.toml": manifest + http})).name


WRONG = {
    "a missing handler": (b"def other(event, context): pass", "does not define 'handler' at its top level"),
    "a handler in a function": (b"def outer():\n    def handler(event, context): pass", "does not define"),
    "an async generator": (b"async def handler(event, context): yield 1", "is a generator"),
    "a generator": (b"def handler(event, context):\n    if event:\n        yield 1\n", "is a generator"),
    "one parameter": (b"def handler(event): pass", r"called as handler\(event, context\)"),
    "three parameters": (b"def handler(event, context, more): pass", r"called as handler\(event, context\)"),
    "a named parameter more": (b"def handler(event, context, *, more): pass", r"called as handler\(event, context\)"),
    "a syntax error": (b"x = 1\ndef handler(event, context:\n", r"main\.py, line 2"),
    "a return outside": (b"return 1\n", r"main\.py, line 1"),
    "bad indentation": (b"if x:\npass\n", r"main\.py, line 2"),
    "a zero byte": (b"x = 1\0", r"main\.py"),
    "another encoding": (b"# coding: klingon\n", r"main\.py"),
    "UTF-16": ("def handler(event, context): pass".encode("utf-16"), r"main\.py is UTF-16.*Save it as UTF-8"),
    "no encoding": (b"x = '\xff'\n", r"main\.py"),
    "endless nesting": (b"x = " + b"(" * 5000 + b")" * 5000, r"main\.py"),
    "endless operators": (b"x = " + b"-" * 200_000 + b"1", r"main\.py"),
}


@pytest.mark.parametrize("what", WRONG)
def test_code_is_refused_for(what, tmp_path):
    body, words = WRONG[what]
    with pytest.raises(BadArtifactError, match=words):
        bundle.read(write(tmp_path, function_files(body=body)))


def test_a_syntax_error_in_any_module_is_found(tmp_path):
    write(tmp_path, {**function_files(), "lib/deep/x.py": b"1 +"})
    with pytest.raises(BadArtifactError, match=r"lib/deep/x\.py, line 1"):
        bundle.read(tmp_path)


def test_reading_runs_nothing(tmp_path):
    trap = f"open({str(tmp_path / 'ran')!r}, 'w')\n".encode() + HANDLERS["a function"]
    bundle.read(write(tmp_path, function_files(body=trap)))
    assert not (tmp_path / "ran").exists()


def test_a_missing_handler_file_is_named(tmp_path):
    with pytest.raises(BadArtifactError, match=r"there is no file main\.py"):
        bundle.read(write(tmp_path, {"function.toml": function_files()["function.toml"]}))


@pytest.mark.parametrize(
    ("manifest", "words"),
    [(b"name = ", "is not TOML"), (b"\xff", "is not TOML"), (b"#" * 70_000, "too long"), (b'name = "A"', "handler")],
)
def test_a_bad_manifest_is_refused(manifest, words, tmp_path):
    with pytest.raises(BadArtifactError, match=words):
        bundle.read(write(tmp_path, {"function.toml": manifest}))


def test_a_folder_that_is_neither_says_what_it_lacks(tmp_path):
    with pytest.raises(NotFoundError, match=r"no function\.toml and no model\.toml"):
        bundle.read(tmp_path)


def test_a_model_is_read(tmp_path):
    assert bundle.read(write(tmp_path, small_model())).inputs == {"x": [1, 4]}


@pytest.mark.parametrize("name", ["model.onnx", "model.toml", "golden.json"])
def test_a_model_whose_files_are_spoilt_is_refused(name, tmp_path):
    with pytest.raises(BadArtifactError, match=name):
        bundle.read_model(write(tmp_path, {**small_model(), name: b"{"}))


def test_settings_lie_over_the_manifests_and_a_misspelt_one_is_refused(tmp_path):
    manifest = bundle.read_function(write(tmp_path, function_files()))
    assert bundle.settings(manifest, {}) == {"threshold": 100}
    assert bundle.settings(manifest, {"threshold": 5}) == {"threshold": 5}
    with pytest.raises(RejectedError, match=r"no setting 'treshold'.*threshold"):
        bundle.settings(manifest, {"treshold": 5})


def test_a_link_is_refused_before_anything_behind_it_is_read(tmp_path):
    folder = write(tmp_path, function_files())
    (folder / "out.py").symlink_to("/etc/passwd")
    with pytest.raises(BadArtifactError, match=r"out\.py cannot be packed") as refused:
        bundle.read_function(folder)
    assert "root:" not in str(refused.value)


def test_what_is_not_packed_is_not_looked_at(tmp_path):
    folder = write(tmp_path, function_files())
    (folder / ".venv").mkdir()
    (folder / ".venv" / "broken.py").write_text("def (")
    bundle.read_function(folder)


@pytest.mark.parametrize("name", ["Function.toml", "function.toml.txt", "function.tml", "fuction.toml"])
def test_a_file_that_is_nearly_called_so_is_named(tmp_path, name):
    (tmp_path / name).write_text("")
    with pytest.raises(NotFoundError, match=f"there is '{name}'.*Rename it to function.toml"):
        bundle.kind(tmp_path)


@pytest.mark.parametrize("name", ["Main.py", "main.py.txt", "mian.py"])
def test_a_handlers_file_that_is_nearly_called_so_is_named(tmp_path, name):
    write(tmp_path, {"function.toml": b'name = "f"\nhandler = "main:handler"\n'})
    (tmp_path / name).write_text("def handler(event, context): ...\n")
    with pytest.raises(BadArtifactError, match=f"there is '{name}'.*Rename it to main.py"):
        bundle.read_function(tmp_path)


def test_the_only_code_in_the_folder_is_told_as_the_handler_that_may_be_meant(tmp_path):
    (tmp_path / "function.toml").write_text('name = "lamp"\nhandler = "main:handler"\n')
    (tmp_path / "lambda_function.py").write_text("def handler(event, context): ...\n")
    with pytest.raises(BadArtifactError, match=r"there is 'lambda_function.py'.*handler = \"lambda_function:handler\""):
        bundle.read(tmp_path)
    (tmp_path / "other.py").write_text("")
    with pytest.raises(BadArtifactError) as refused:
        bundle.read(tmp_path)
    assert "lambda_function" not in str(refused.value)


def test_a_folder_of_something_else_is_told_as_before(tmp_path):
    (tmp_path / "notes.md").write_text("")
    with pytest.raises(NotFoundError, match="lamplight new"):
        bundle.kind(tmp_path)


def as_stored(text):
    """The text as editors of several systems store it."""
    return {
        "UTF-8 with a mark": b"\xef\xbb\xbf" + text.encode(),
        "Windows' line ends": text.replace("\n", "\r\n").encode(),
        "both": b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(),
        "PowerShell's UTF-16": text.replace("\n", "\r\n").encode("utf-16"),
        "UTF-16, big end first": b"\xfe\xff" + text.encode("utf-16-be"),
    }


@pytest.mark.parametrize("stored", as_stored(""))
def test_a_manifest_is_read_as_any_editor_stores_it(tmp_path, stored):
    files = function_files()
    text = files["function.toml"].decode() + 'room = "Küche"\n'
    manifest = bundle.read(write(tmp_path, {**files, "function.toml": as_stored(text)[stored]}))
    assert (manifest.name, manifest.config["room"]) == ("lamp", "Küche")
    packed = archive.pack(tmp_path)
    archive.unpack(packed, tmp_path / "there")
    assert bundle.read(tmp_path / "there").name == "lamp"


@pytest.mark.parametrize("stored", as_stored(""))
def test_a_models_manifest_too(tmp_path, stored):
    files = small_model()
    write(tmp_path, {**files, "model.toml": as_stored(files["model.toml"].decode())[stored]})
    assert bundle.read(tmp_path).inputs == {"x": [1, 4]}


@pytest.mark.parametrize("name", ["lamplight.py", "lamplight/__init__.py", "sys.py", "builtins.py", "__future__.py"])
def test_a_name_that_no_import_could_reach_is_refused_by_name(tmp_path, name):
    with pytest.raises(BadArtifactError, match=f"{name} cannot be imported.*Rename it"):
        bundle.read(write(tmp_path, {**function_files(), name: b""}))


def test_a_file_behind_a_folder_of_its_name_is_refused(tmp_path):
    with pytest.raises(BadArtifactError, match=r"lib/main\.py cannot be imported.*the folder lib/main"):
        bundle.read(write(tmp_path, {**function_files(), "lib/main.py": b"", "lib/main/__init__.py": b""}))


@pytest.mark.parametrize("name", ["device.py", "calendar.py", "board/__init__.py", "models.py", "json.py", "größe.py"])
def test_any_other_name_is_the_function_s(tmp_path, name):
    assert bundle.read(write(tmp_path, {**function_files(), name: b""})).name == "lamp"
