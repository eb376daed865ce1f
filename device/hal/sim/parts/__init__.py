"""Models of hardware: no sockets, no processes; the clock is passed in."""
