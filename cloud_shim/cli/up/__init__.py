"""A whole Lamplight on one machine: broker, shim, and a simulated device with the real agent.

    home_folder the folder that keeps it all between two runs; one `up` at a time in it
    ports       is a port free, and if not, who holds it
    provision   the files that make a device of this fleet
    home        the processes, started in order and stopped in the opposite one
    guard       restarts what dies, until it dies too often
    session     all of them together: `lamplight up`

Each child process is a processes.Process.
"""
