"""From a signed desired state to a generation that runs and has proved itself.

    engine          the update thread: takes one step of a deployment after another
    ├── verification    asks the short-lived process `verify`, which decides by `trust`
    ├── reconcile       what there is to do (pure)
    ├── fetch           which chunks to ask for, and when (no I/O)
    ├── store           what is on disk, by digest
    ├── stage           from artifacts on disk to a Generation, through `archive` and `bundle`
    ├── slots           active, previous, trial and failed generations
    ├── trial           has the new generation proved itself? (pure)
    ├── self_update     another version of the agent: `runtime_file` says what it needs, `proof` whether it works (pure)
    ├── inbox, status   what other threads hand in, and what they are told
    └── ports           what the engine needs from the rest of the device

Every durable write goes through `durable`. Nothing here runs functions or speaks MQTT: both are handed to the engine.
"""
