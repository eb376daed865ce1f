"""Has a new generation proved itself? The judge, what the old one was like, and how error rates compare (pure)."""
