"""The members of the fleet, the deployment each device should run, and its outcome."""
