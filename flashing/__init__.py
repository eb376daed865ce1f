"""From a blank card to a board of the fleet: the work of `flash.py`, on the machine of the person flashing.

It stays outside `boards/`: that folder travels to every board with the agent's own code, and a board needs none of
this.
"""
