"""From a signed desired state to a generation that runs and has proved itself.

    engine          the update thread: takes one step of a deployment after another
    ├── reconcile       what there is to do (pure)
    ├── fetching/       which chunks to ask for and when; patched or whole (no I/O)
    ├── store           what is on disk, by digest
    ├── stage           from artifacts on disk to a Generation
    ├── slots           active, previous, trial and failed generations; `slots_file` keeps them
    ├── installed       switches to a generation, tries it, keeps or reverts it
    ├── trial/          has the new generation proved itself? (pure)
    ├── agent/          another version of the agent: asks the launcher for it, and proves itself (pure)
    ├── inbox, status   what other threads hand in, and what they are told
    └── ports           what the engine needs from the rest of the device

Every durable write goes through `device/durable.py`. Nothing here runs functions or speaks MQTT: both are handed to the
engine.
"""
