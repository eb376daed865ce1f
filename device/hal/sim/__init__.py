"""The simulated board's hardware: a process (`python -m device.hal.sim`), and the ways to reach it.

`parts/` are the hardware models, `server.py` serves them, `stand_ins/` put them in the place of the kernel's interfaces
below Blinka, and `world.py` sets the light around them.
"""
