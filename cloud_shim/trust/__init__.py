"""The signatures that count: the keys, the metadata of the two TUF repositories, and the right to change them."""
