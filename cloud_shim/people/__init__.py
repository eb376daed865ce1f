"""The people and programs that use the shim: their tokens, their permissions, and links into the console.

    identity       permissions, identities, and the decision whether one may do a thing; pure
    tokens         the tokens and sessions in the database, by their digests
    token_text     the text of a token, and its digest
    token_files    the owner's token on disk, and the way from a shim's address to it
    links          links that sign a browser in, once

HTTP is api/gate.py's.
"""
