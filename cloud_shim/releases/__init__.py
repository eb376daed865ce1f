"""From a folder on somebody's machine to a numbered, checked and kept release."""
