"""The agent's own part in being replaced: how it asks for another version, and when the new one has proved itself."""
