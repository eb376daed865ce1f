"""What goes wrong when bytes from elsewhere do not keep to the contract.

A `ProtocolError` always means "this input is refused and nothing changed"; its text
names the field and what was expected, for it ends up in front of a person.
"""


class ProtocolError(ValueError):
    """A topic, message, manifest or index that does not keep to the contract.

    `where` and `key` say which key of a table is unknown, and `known` which are known there; empty for other faults.
    """

    def __init__(self, text: str, where: str = "", key: str = "", known: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.where = where
        self.key = key
        self.known = known
