"""What travels to a board as bytes with a digest: how each kind is packed, read and checked.

    archive     a deterministic tar, written and unpacked under limits
    bundle      a function's, a model's, a layer's or the agent's folder, as what it declares
    layer, agent    what a folder of packages, and a version of the agent, say of themselves
    patch       from one archive to the next by the difference

Shim, launcher and agent use it alike. It decides nothing about what a board runs, and reaches no network.
"""
