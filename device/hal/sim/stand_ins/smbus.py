"""Adafruit_PureIO's SMBus for a bus of the simulated hardware: the same methods, the same errors as /dev/i2c-N."""

from pathlib import Path

from device.hal.sim.link import Link

Buffer = bytes | bytearray | memoryview


class SMBus:
    """I2C bus number `bus` of the simulated hardware. Raises FileNotFoundError when the board lacks it."""

    def __init__(self, socket: Path, bus: int) -> None:
        self._link = Link(socket)
        self._bus = bus
        if not self._link.ask("bus", number=bus)["present"]:
            self._link.close()
            raise FileNotFoundError(2, "No such file or directory", f"/dev/i2c-{bus}")

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._link.close()

    def write_quick(self, addr: int) -> None:
        """Address a chip and write nothing."""
        self._transfer(addr, b"", 0)

    def read_byte(self, addr: int) -> int:
        """One byte from a chip."""
        return self._transfer(addr, None, 1)[0]

    def read_bytes(self, addr: int, number: int) -> bytes:
        """`number` bytes from a chip."""
        return self._transfer(addr, None, number)

    def write_byte(self, addr: int, val: int) -> None:
        """One byte to a chip."""
        self._transfer(addr, bytes([val & 0xFF]), 0)

    def write_bytes(self, addr: int, buf: Buffer) -> None:
        """Bytes to a chip."""
        self._transfer(addr, bytes(buf), 0)

    def read_byte_data(self, addr: int, cmd: int) -> int:
        """One byte from register `cmd`."""
        return self._transfer(addr, bytes([cmd & 0xFF]), 1)[0]

    def read_word_data(self, addr: int, cmd: int) -> int:
        """Two bytes from register `cmd`, the lower first."""
        return int.from_bytes(self._transfer(addr, bytes([cmd & 0xFF]), 2), "little")

    def read_i2c_block_data(self, addr: int, cmd: int | Buffer, length: int = 32) -> bytearray:
        """Write `cmd`, a register or several bytes, and read `length` bytes in the same transaction."""
        command = bytes([cmd & 0xFF]) if isinstance(cmd, int) else bytes(cmd)
        return bytearray(self._transfer(addr, command, length))

    def write_byte_data(self, addr: int, cmd: int, val: int) -> None:
        """One byte to register `cmd`."""
        self._transfer(addr, bytes([cmd & 0xFF, val & 0xFF]), 0)

    def write_word_data(self, addr: int, cmd: int, val: int) -> None:
        """Two bytes to register `cmd`, the lower first."""
        self._transfer(addr, bytes([cmd & 0xFF]) + (val & 0xFFFF).to_bytes(2, "little"), 0)

    def write_i2c_block_data(self, addr: int, cmd: int, vals: Buffer) -> None:
        """Several bytes to register `cmd`."""
        self._transfer(addr, bytes([cmd & 0xFF]) + bytes(vals), 0)

    def _transfer(self, address: int, data: bytes | None, count: int) -> bytes:
        """One transaction, as one I2C_RDWR ioctl is: no other process' bytes come between write and read."""
        write = {} if data is None else {"write": data.hex()}
        answer = self._link.ask("transfer", bus=self._bus, address=address & 0x7F, read=count, **write)
        return bytes.fromhex(str(answer["data"]))
