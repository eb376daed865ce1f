"""Starts the agent, in the version that has proved itself or the one on trial, and starts it again when it ends.

    python -m device.launcher --config agent.toml

    __main__    the process: starts the agent, hears it, counts, falls back
    ledger      which versions there are, and what follows from what (pure), and its file
    starts      how many starts in a row did not last, and safe mode (pure), and its file
    pulse       whether the agent hangs (pure)
    service     what the service manager is told
    line        what both ends of the line between launcher and agent say; the agent's end of it

The launcher is the one part that no deployment replaces: it runs from what was installed on the board, and starts
versions of the agent that lie in `<state>/runtime/<sha256>`. So it is small, uses the standard library alone, and what
it says to agents of other versions (docs/protocol/agent.md) changes only by additions.
"""
