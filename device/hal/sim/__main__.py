"""`python -m device.hal.sim --socket PATH`: the simulated board's hardware as a process, until SIGTERM or Ctrl-C.

Writes one line to stdout when it is ready.
"""

import argparse
import asyncio
import signal
import socket
import sys
import time
from pathlib import Path

import boards
from device.errors import LamplightError
from device.hal.sim.parts.assembly import Assembly
from device.hal.sim.server import listen, serve

BOARD = "lamplight/simulated"


def main() -> int:
    """Run the command and give its exit code."""
    arguments = _arguments()
    try:
        assembly = Assembly(boards.load(BOARD), time.monotonic, arguments.noise)
        listener = listen(arguments.socket)
    except LamplightError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    asyncio.run(_run(assembly, listener, arguments.socket))
    return 0


async def _run(assembly: Assembly, listener: socket.socket, path: Path) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    sys.stdout.write(f"simulated hardware ready at {path}\n")
    sys.stdout.flush()
    try:
        await serve(assembly, listener, stop)
    finally:
        path.unlink(missing_ok=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m device.hal.sim", description=__doc__)
    parser.add_argument(
        "--socket", type=Path, required=True, help="where to listen: a Unix socket, made with mode 0600"
    )
    parser.add_argument(
        "--noise", type=_share, default=0.0, help="standard deviation of a conversion, relative: 0.01 is 1 %%"
    )
    return parser.parse_args()


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


if __name__ == "__main__":
    sys.exit(main())
