"""How an artifact reaches the board: the chunks to ask for, when to ask, and whether a patch spares most of them."""
