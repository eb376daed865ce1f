"""The doctor: named checks of everything a board needs, each with its finding and a remedy.

    check         the form of a check, and how checks are performed: within a time, and never with a traceback
    table         the list of a board's checks
    clock … zygote    one file for each family: pure judgements, and the looks at the board behind them
    show          the results as text
    remote        the doctor asked for from afar, by a call to the agent
    __main__      `python -m device.doctor --config agent.toml`

It runs beside the agent and disturbs nothing: it takes no lock, no pin somebody may want, and at the broker a name of
its own. It repairs nothing.
"""
