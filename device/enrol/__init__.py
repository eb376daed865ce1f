"""How a board gets its password for the broker, and gets a new one in time.

secret      makes a password, and its hash
passwords   the files they lie in: the present one, and the next one until it has worked
joining     the first contact, as a user with the one right to ask
renewal     offers the next password, once connected
"""
