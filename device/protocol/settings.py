"""The mark of a function's settings: a record carries it, so that a replay finds the settings the event met.

It compares settings; it does not hold them.
"""

import hashlib
import json

_DIGITS = 16


def settings_mark(config: "dict[str, object]") -> str:
    """The same 16 hexadecimal digits for the same settings, whatever the order of their keys.

    `config` is the manifest's with the operator's over it.
    """
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:_DIGITS]
