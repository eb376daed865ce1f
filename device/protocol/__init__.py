"""The contract with the cloud and with microcontrollers.

It imports only this folder's own files and modules of MicroPython (`json`, `struct`, `hashlib`), so a microcontroller's
agent can use these very files.
"""
