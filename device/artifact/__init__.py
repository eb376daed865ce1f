"""Artifacts, the bytes with a digest on their way to a board: how each kind is packed, read and checked.

    archive     a deterministic tar, written and unpacked under limits
    bundle      a function's, a model's, a layer's or the agent's folder, by its own declaration
    layer, agent    the declarations of a folder of packages, and of a version of the agent
    patch       from one archive to the next by the difference

Shim, launcher and agent use it alike. Other folders choose a board's artifacts and carry them.
"""
