"""Says from the last 32 lux readings whether someone is at the sensor; see card.md."""
