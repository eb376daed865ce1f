"""The wiring of a board as a picture: the connections (nets), their places (layout), and their looks (picture).

Board → nets.of → layout.place → picture.draw → SVG
"""

from boards import Board
from flashing.wiring import layout, nets, picture


def drawn(board: Board) -> str:
    """The board's wiring as an SVG document. Raises NotFoundError for a board without wiring."""
    return picture.draw(board.title, layout.place(nets.of(board)))
