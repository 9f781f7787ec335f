"""A real Modbus server (pymodbus) in a thread, over TCP or on a pseudo-terminal."""

import asyncio
import contextlib
import os
import select
import threading
import tty
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

PATIENCE_S = 20.0


def _device(unit: int, registers: dict[int, float]) -> SimDevice:
    """Float registers at their addresses; all others are 0."""
    words = max(registers) + 2
    floats = [registers.get(address, 0.0) for address in range(0, words, 2)]
    return SimDevice(id=unit, simdata=[SimData(0, values=floats, datatype=DataType.FLOAT32)])


@contextmanager
def tcp_server(unit: int, registers: dict[int, float]) -> Iterator[int]:
    """The port that it listens on, on the loopback interface."""

    async def made() -> Any:
        return ModbusTcpServer(_device(unit, registers), address=("127.0.0.1", 0))

    with _served(made()) as server:
        yield server.transport.sockets[0].getsockname()[1]


@contextmanager
def serial_server(unit: int, registers: dict[int, float], *others: int) -> Iterator[str]:
    """The path of the port at the other end of its line; other units on it have the same registers."""
    with _line() as (ours, theirs):

        async def made() -> Any:
            devices = [_device(each, registers) for each in (unit, *others)]
            return ModbusSerialServer(devices, port=theirs, baudrate=9600)

        with _served(made()):
            yield ours


@contextmanager
def _served(made: Coroutine[Any, Any, Any]) -> Iterator[Any]:
    """The server while it serves, on a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(job: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(job, loop).result(PATIENCE_S)

    try:
        server = run(made)
        run(server.serve_forever(background=True))
        try:
            yield server
        finally:
            run(server.shutdown())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE_S)
        loop.close()


@contextmanager
def _line() -> Iterator[tuple[str, str]]:
    """Two ports with a wire between them."""
    (one, one_port), (other, other_port) = os.openpty(), os.openpty()
    for port in (one_port, other_port):
        tty.setraw(port)
    stop_read, stop_write = os.pipe()

    def carry() -> None:
        while True:
            ready, _, _ = select.select([one, other, stop_read], [], [], PATIENCE_S)
            if stop_read in ready or not ready:
                return
            for source, target in ((one, other), (other, one)):
                if source in ready:
                    with contextlib.suppress(OSError):  # a port that is closed and opened again
                        os.write(target, os.read(source, 4096))

    thread = threading.Thread(target=carry)
    thread.start()
    try:
        yield os.ttyname(one_port), os.ttyname(other_port)
    finally:
        os.write(stop_write, b"\0")
        thread.join(PATIENCE_S)
        for number in (one, one_port, other, other_port, stop_read, stop_write):
            os.close(number)
