"""Starts the agent, in the proven version or the one on trial, and starts it again when it ends.

    python -m device.launcher --config agent.toml

    __main__    the process: starts the agent, hears it, counts, falls back
    ledger      the versions, and the transitions between them (pure), and its file
    starts      how many starts in a row did not last, and safe mode (pure), and its file
    pulse       whether the agent hangs (pure)
    service     the reports to the service manager
    line        the messages between launcher and agent; the agent's end of their line

The launcher is the one part no deployment replaces: it runs from the installation on the board, and starts the versions
of the agent in `<state>/runtime/<sha256>`. So it is small and uses the standard library alone. Its messages to agents
of other versions (docs/protocol/agent.md) change only by additions.
"""
