"""The doctor: named checks of everything a board needs, each with what was found and what to do about it.

    check         what a check is, and how checks are performed: within a time, and never with a traceback
    table         which checks a board has
    clock … zygote    one file for each family: pure judgements, and the looks at the board that they rest on
    show          the results as text
    remote        the doctor asked for from afar, by a call to the agent
    __main__      `python -m device.doctor --config agent.toml`

It runs beside the agent and disturbs nothing: it takes no lock, no pin that somebody may want, and no name at the
broker that is the agent's. It repairs nothing.
"""
