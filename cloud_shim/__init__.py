"""The thin cloud: publishes, signs, collects and shows. Devices work without it."""
