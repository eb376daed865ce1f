"""Whose signature counts: the keys, the metadata of the two TUF repositories, and who may change them."""
