"""The part of a card run on the board: the installing script and the service. It holds no Python of ours."""
