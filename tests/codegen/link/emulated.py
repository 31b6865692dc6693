"""An emulated board whose serial port is a pseudo-terminal."""

from __future__ import annotations

import os
import random
import re
import select
import subprocess
import threading
import tty
from pathlib import Path

from codegen.boards.machines import MACHINES
from codegen.toolchain import run as toolchain

BIT_OF_TIME_S = 0.05


def build_firmware(tree: Path, folder: Path, *, emulated: bool = True) -> Path:
    """The firmware alone of an emitted project."""
    folder.mkdir(exist_ok=True)
    cross = f"-DCMAKE_TOOLCHAIN_FILE={(tree / 'cmake' / 'arm-none-eabi.cmake').resolve()}"
    machine = f"-DEMULATED={'ON' if emulated else 'OFF'}"
    toolchain.run(["cmake", "-S", str(tree.resolve()), "-B", ".", cross, machine], folder, 60)
    toolchain.run(["cmake", "--build", ".", "--target", "firmware"], folder, 300)
    return folder / ("emulated.elf" if emulated else "firmware.elf")


class Emulator:
    """QEMU running ``program`` in ``folder``, which holds the board's flash as a file."""

    def __init__(
        self,
        machine: str,
        program: Path,
        folder: Path,
        *serial: str,
        options: tuple[str, ...] = (),
    ):
        command = [
            "qemu-system-arm",
            *MACHINES[machine].arguments,
            *options,
            "-nographic",
            "-monitor",
            "none",
        ]
        for chosen in serial or ("pty",):
            command += ["-serial", chosen]
        command += ["-semihosting-config", "enable=on,target=native", "-kernel", str(program)]
        self.process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        line = self.process.stdout.readline()
        found = re.search(r"(/dev/\S+)", line)
        assert found, f"no pseudo-terminal: {line}{self.process.stdout.read()}"
        self.port = found[1]

    def kill(self) -> None:
        """As if the power were cut."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()


class Noise:
    """A pseudo-terminal in front of another, which damages, loses and invents bytes both ways."""

    def __init__(self, port: str, rate: float, seed: int):
        self.rate, self.random = rate, random.Random(seed)
        self.damages = 0
        self.far = os.open(port, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.far)
        self.near, self.user = os.openpty()
        tty.setraw(self.user)
        self.port = os.ttyname(self.user)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._forward)
        self.thread.start()

    def _forward(self) -> None:
        ways = {self.far: self.near, self.near: self.far}
        while not self.stop.is_set():
            for source in select.select(list(ways), [], [], BIT_OF_TIME_S)[0]:
                data = self._spoil(os.read(source, 4096))
                while data:
                    data = data[os.write(ways[source], data) :]

    def _spoil(self, data: bytes) -> bytes:
        out = bytearray()
        for byte in data:
            dice = self.random.random()
            if dice >= self.rate:
                out.append(byte)
                continue
            self.damages += 1
            if dice < self.rate / 3:  # damaged
                out.append(byte ^ self.random.randrange(1, 256))
            elif dice < 2 * self.rate / 3:  # one more
                out += bytes((byte, self.random.randrange(256)))
            # else lost
        return bytes(out)

    def __enter__(self):
        return self

    def __exit__(self, *error: object) -> None:
        self.stop.set()
        self.thread.join()
        for descriptor in (self.far, self.near, self.user):
            os.close(descriptor)
