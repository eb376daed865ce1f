"""Who belongs to the fleet, what each device should run, and what became of it."""
