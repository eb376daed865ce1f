"""The thin cloud: publishes, signs, collects and shows. Devices also work by themselves."""
