"""How a board gets its password for the broker, a new one in time, and a name of its own in place of a copied one.

secret        makes a password, and its hash
passwords     the files they lie in: the present one, and the next one until it has worked
joining       the first contact, as a user with the one right to ask
renewal       offers the next password, once connected
hardware      names the board itself, and knows which runs of the agent were on it
displacement  what a board does that is not the device of its name
own_name      its own password, and the name given to it
"""
