"""What lies on a card and runs on the board: the installing script and the service. No Python of ours."""
