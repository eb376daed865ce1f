"""The doctor on the shim's side: the folder of `lamplight up`, its broker, and the devices as the shim knows them.

    table       which checks there are
    database, folders, keys, broker, devices    one file for each family

What a check is, and how it is performed and shown, is device/doctor's; so is the doctor of a board. It only reads, and
works with the shim and the broker stopped: what then cannot be known is left out.
"""
