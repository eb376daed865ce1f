"""The devices' messages, on their way into the database and back."""
