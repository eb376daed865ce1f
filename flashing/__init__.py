"""From a blank card to a board of the fleet: what `flash.py` does, on the machine of the person who flashes.

Not in `boards/`: that travels to every board with the agent's own code, and nothing of this is needed there.
"""
