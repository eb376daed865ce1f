"""From a signed desired state to a running, proven generation.

    engine          the update thread: takes one step of a deployment after another
    ├── reconcile       the next thing to do (pure)
    ├── fetching/       the chunks to ask for, and when; patched or whole (no I/O)
    ├── store           blobs and trees on disk, by digest
    ├── stage           from artifacts on disk to a Generation
    ├── slots           active, previous, trial and failed generations; `slots_file` keeps them
    ├── installed       switches to a generation, tries it, keeps or reverts it
    ├── trial/          has the new generation proved itself? (pure)
    ├── agent/          another version of the agent: asks the launcher for it, and proves itself (pure)
    ├── inbox, status   the way in from other threads, and the news for them
    └── ports           the engine's needs from the rest of the device

Every durable write goes through `device/durable.py`. The engine is handed the runtime of the functions and the MQTT
link; neither is in here.
"""
