"""A whole Lamplight on one machine: broker, shim, and a simulated device with the real agent.

    home_folder the folder for all of it between two runs; one `up` at a time in it
    ports       whether a port is free, or else its holder
    provision   the files of a device of this fleet
    home        the processes, started in order and stopped in the opposite one
    guard       restarts a process after its death, until it dies too often
    session     all of them together: `lamplight up`

Each child process is a process.Process.
"""
