"""The error for bytes from elsewhere in breach of the contract.

A `ProtocolError` always means "this input is refused and nothing changed"; its text names the field and the expected
value, for it ends up in front of a person.
"""


class ProtocolError(ValueError):
    """A topic, message, manifest or index in breach of the contract.

    `where` and `key` name the unknown key of a table, and `known` the known ones there; empty for other faults.
    """

    def __init__(self, text: str, where: str = "", key: str = "", known: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.where = where
        self.key = key
        self.known = known
