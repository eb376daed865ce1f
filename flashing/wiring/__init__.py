"""The wiring of a board as a picture: what is connected (nets), where that lies (layout), and how it looks (picture).

Board → nets.of → layout.place → picture.draw → SVG
"""

from boards import Board
from flashing.wiring import layout, nets, picture


def drawn(board: Board) -> str:
    """The board's wiring as an SVG document. Raises NotFoundError when there is nothing to wire."""
    return picture.draw(board.title, layout.place(nets.of(board)))
