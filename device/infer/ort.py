"""onnxruntime, imported late and kept quiet: no telemetry, no threads of its own, no spinning.

A board may have neither onnxruntime nor numpy (32-bit ARM has no wheels of them), so they are imported only for a
present model. A session with threads spinning for work takes a processor from everything else on the board, and is
slower for small models. Running models in a session is session.py's.
"""

import importlib
import importlib.util
import os
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from device.errors import RejectedError

# One Identity node, IR version 8, opset 13: the smallest session to make onnxruntime set itself up.
_SMALLEST = bytes.fromhex(
    "08083a370a100a017812017922084964656e746974791201675a0f0a0178120a0a08080112040a020801"
    "620f0a0179120a0a08080112040a02080142040a00100d"
)


def available() -> bool:
    """Whether this board has onnxruntime; imports nothing."""
    return importlib.util.find_spec("onnxruntime") is not None


@cache
def prepare() -> ModuleType:
    """onnxruntime, imported and set up once; raises RejectedError on a board without it.

    Called in a process about to fork, it lets the children share the cost of a process' first session.
    """
    # Its telemetry starts a thread at import. A forked child lacks this thread, and would wait for it at exit.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        onnxruntime = importlib.import_module("onnxruntime")
    except ImportError as error:
        raise RejectedError(
            "This board cannot run ONNX models",
            f"onnxruntime is not installed ({error})",
            "`pip install onnxruntime numpy` beside the agent; there is none for 32-bit ARM",
        ) from error
    onnxruntime.InferenceSession(_SMALLEST, _options(onnxruntime), providers=["CPUExecutionProvider"])
    return onnxruntime


def open_session(path: Path, threads: int = 1) -> Any:
    """A session on the model at `path`, with so many threads; raises onnxruntime's own errors about the model.

    From a path instead of bytes: the weights then lie in memory only once.
    """
    onnxruntime = prepare()
    options = _options(onnxruntime)
    options.intra_op_num_threads = threads
    # The file's name and content are a stranger's: read it as ONNX and as nothing else.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _options(onnxruntime: ModuleType) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    # Errors come as exceptions; its prints besides have no reader.
    options.log_severity_level = 4
    return options
