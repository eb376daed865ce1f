"""The doctor on the shim's side: the folder of `lamplight up`, its broker, and the devices as the shim knows them.

    table       the list of the checks
    database, folders, keys, broker, devices    one file for each family

The form of a check, and how it is performed and shown, is device/doctor's; so is the doctor of a board. It only reads,
and works with the shim and the broker stopped: checks beyond reach are then left out.
"""
