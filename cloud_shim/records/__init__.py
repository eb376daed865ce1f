"""What devices send, from the message to the database and back."""
