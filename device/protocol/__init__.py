"""The contract with the cloud and with microcontrollers.

Imports nothing of ours from outside this folder, and only what MicroPython has
(`json`, `struct`, `hashlib`), so that a microcontroller's agent can use these very files.
"""
