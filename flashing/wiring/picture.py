"""A layout as an SVG document. It decides colours and shapes; the places are given."""

from collections.abc import Iterator
from html import escape

from flashing.wiring.layout import COLUMN, HEADER_X, PARTS_X, TOP, Layout, Pin, Placed, Wire

WIDTH = 640
COLOURS = {
    "power": "#c8102e",
    "ground": "#222222",
    "sda": "#d9a300",
    "scl": "#1f6fc4",
    "led": "#2a9d4a",
    "button": "#8440a8",
}
_STYLE = (
    "text{font:13px system-ui,'Helvetica Neue',Arial,sans-serif;fill:#222}"
    ".title{font-size:16px;font-weight:600}.small{font-size:11px;fill:#555}.pin{font-size:9px;fill:#444}"
    ".on{fill:#fff;font-weight:600}.wire{fill:none;stroke-width:3;stroke-linecap:round;stroke-linejoin:round}"
)


def draw(title: str, layout: Layout) -> str:
    """The SVG document."""
    height = round(layout.height)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        *_heading(title),
        *_header(layout),
        *(line for wire in layout.wires for line in _wire(wire)),
        *(line for pin in layout.pins for line in _pin(pin, bool(layout.header.pins))),
        *(line for placed in layout.parts for line in _part(placed)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _heading(title: str) -> Iterator[str]:
    board, _, parts = title.partition(" with ")
    yield f'<text class="title" x="24" y="30">{escape(board)}</text>'
    if parts:
        yield f'<text class="small" x="24" y="48">with {escape(parts)}</text>'


def _header(layout: Layout) -> Iterator[str]:
    bottom = max(pin.y for pin in layout.pins)
    left, width = HEADER_X - 24, COLUMN + 48
    yield _box(left, TOP - 18, width, bottom - TOP + 36, "#1e5c3a", 6)
    below = layout.header.name or ("header, pin 1 at the top left" if layout.header.pins else "labels as printed on it")
    yield f'<text class="small" x="{left}" y="{bottom + 36:g}">{escape(below)}</text>'


def _pin(pin: Pin, numbered: bool) -> Iterator[str]:
    fill = COLOURS[pin.net.kind] if pin.net else "#e8e2c8"
    square = numbered and pin.name == 1
    yield f'<rect x="{pin.x - 8:g}" y="{pin.y - 8:g}" width="16" height="16" rx="{2 if square else 8}" fill="{fill}"/>'
    style = "pin on" if pin.net else "pin"
    if numbered:
        yield f'<text class="{style}" x="{pin.x:g}" y="{pin.y + 3:g}" text-anchor="middle">{pin.name}</text>'
    else:
        name = escape(str(pin.name))
        yield f'<text class="small on" x="{pin.x - 14:g}" y="{pin.y + 4:g}" text-anchor="end" fill="#fff">{name}</text>'


def _wire(wire: Wire) -> Iterator[str]:
    colour = COLOURS[wire.net.kind]
    # From a pin in the left column first down, between the rows.
    start = f"M{wire.x:g} {wire.y:g}V{wire.start_y:g}H{wire.lane:g}"
    for end in wire.ends:
        yield f'<path class="wire" stroke="{colour}" d="{start}V{end:g}H{PARTS_X:g}"/>'
    for end in wire.ends[:-1] if len(wire.ends) > 1 else ():
        yield f'<circle cx="{wire.lane:g}" cy="{end:g}" r="4.5" fill="{colour}"/>'
    right_of_header = HEADER_X + COLUMN + (32 if wire.x == HEADER_X or isinstance(wire.net.pin, str) else 106)
    label = f"{wire.net.label} · pin {wire.net.pin}" if isinstance(wire.net.pin, int) else wire.net.label
    yield (
        f'<text class="small" x="{right_of_header:g}" y="{wire.start_y - 4:g}" style="fill:{colour}">'
        f"{escape(label)}</text>"
    )


def _part(placed: Placed) -> Iterator[str]:
    part, ys = placed.part, placed.ys
    top, bottom = ys[0] - 14, ys[-1] + 14
    fill = {"sensor": "#20487c", "led": "#f4f4f0", "button": "#f4f4f0"}[part.kind]
    yield _box(PARTS_X, top, 168, bottom - top, fill, 6, "#999")
    text = "on" if part.kind == "sensor" else ""
    for name, y in zip(part.terminals, ys, strict=True):
        yield f'<circle cx="{PARTS_X:g}" cy="{y:g}" r="5" fill="#fff" stroke="#222" stroke-width="1.5"/>'
        yield f'<text class="small {text}" x="{PARTS_X + 12:g}" y="{y + 4:g}">{escape(name)}</text>'
    yield f'<text x="{PARTS_X:g}" y="{top - 7:g}">{escape(part.title)}</text>'
    if part.note:
        yield f'<text class="small" x="{PARTS_X:g}" y="{bottom + 15:g}">{escape(part.note)}</text>'
    yield from _symbol(placed)


def _symbol(placed: Placed) -> Iterator[str]:
    """The drawing inside of a part: a chip, a resistor with an LED, a push button."""
    x, top, bottom = PARTS_X + 110, placed.ys[0], placed.ys[-1]
    middle = (top + bottom) / 2
    line = 'fill="none" stroke="#222" stroke-width="2"'
    if placed.part.kind == "sensor":
        yield _box(x - 14, middle - 16, 36, 32, "#111", 3)
        yield _box(x - 6, middle - 8, 20, 16, "#7a9cc6", 2)
    elif placed.part.kind == "led":
        yield f'<path {line} d="M{PARTS_X + 30:g} {top:g}H{PARTS_X + 50:g}"/>'
        yield f'<rect x="{PARTS_X + 50:g}" y="{top - 6:g}" width="34" height="12" fill="#e7d3a8" stroke="#222"/>'
        yield f'<path {line} d="M{PARTS_X + 84:g} {top:g}H{x + 20:g}V{middle - 8:g}"/>'
        yield f'<path d="M{x + 10:g} {middle - 8:g}h20l-10 15z" fill="#e23b3b" stroke="#222"/>'
        yield f'<path {line} d="M{x + 10:g} {middle + 8:g}h20m-10 0V{bottom:g}H{PARTS_X + 46:g}"/>'
    else:
        yield f'<path {line} d="M{PARTS_X + 30:g} {top:g}H{x + 20:g}v9m0 16V{bottom:g}H{PARTS_X + 46:g}"/>'
        yield f'<path {line} d="M{x + 10:g} {middle - 8:g}v16m-8 -8h8"/>'
        yield f'<circle cx="{x + 20:g}" cy="{top + 9:g}" r="3"/><circle cx="{x + 20:g}" cy="{bottom - 9:g}" r="3"/>'


def _box(x: float, y: float, width: float, height: float, fill: str, radius: int, stroke: str = "none") -> str:
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius}" fill="{fill}" '
        f'stroke="{stroke}"/>'
    )
