"""How an artifact reaches the board: which chunks to ask for and when, and whether a patch spares most of them."""
