"""The agent's own part in being replaced: how it asks for another version, and when that one has proved itself."""
