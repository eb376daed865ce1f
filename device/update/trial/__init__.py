"""Has a new generation proved itself? The judge, the old one's baseline, and the comparison of error rates (pure)."""
