"""The script that runs a package's own build backend (PEP 517), in the confined process: `python -S -P -c … ORDER`.

It has the standard library, the package's tools and its source in reach, and nothing of ours. Its answer is as
trustworthy as the package.
"""

import importlib
import json
import os
import sys
from typing import Any


def main() -> None:
    """Call the backend as the order has it, and write what it returns."""
    order: Any = json.loads(sys.argv[1])
    sys.path[:0] = order["paths"]
    module, _, inside = str(order["backend"]).partition(":")
    backend: Any = importlib.import_module(module)
    for each in filter(None, inside.split(".")):
        backend = getattr(backend, each)
    if order["do"] == "wheel":
        answer: Any = backend.build_wheel(order["out"], None, None)
    else:
        ask: Any = getattr(backend, "get_requires_for_build_wheel", None)
        answer = ask(None) if ask else []
    with open(os.path.join(order["out"], "answer.json"), "w") as file:  # noqa: PTH118, PTH123
        json.dump(answer, file)


if __name__ == "__main__":
    main()
