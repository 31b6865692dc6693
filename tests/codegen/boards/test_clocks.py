"""The clocks of each board, set up over a model of its registers as the reference manuals describe them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import pytest

from codegen.boards.board import load, names
from codegen.boards.clocks import AWAIT, PAUSE, Clock, Step

POLLS = 3  # after which something that was switched on is ready
PATIENCE = 100
MHZ = 1_000_000
HALVES = {0: 1, 4: 2, 5: 4, 6: 8, 7: 16}  # a prescaler of three bits
FAST_HALVES = {0: 1, 8: 2, 9: 4, 10: 8, 11: 16}  # one of four


class BrokenRule(AssertionError):
    """Something that the reference manual forbids, or a wait without an end."""


def rule(holds: bool, text: str) -> None:
    if not holds:
        raise BrokenRule(text)


@dataclass(frozen=True)
class Family:
    """A chip after reset.

    ``ready`` leads from a bit (address, number) to the one that tells when what it switches on is
    ready; ``late`` are fields (address, mask) that hold only once they are read back; ``gates`` are
    what must be on, and known to be, before a page of registers can be written. ``rates`` checks all
    rules and gives the rates of the core and of the serial port.
    """

    registers: Mapping[int, int]
    rates: Callable[[Chip], tuple[float, float]]
    ready: Mapping[tuple[int, int], tuple[int, int]]
    late: tuple[tuple[int, int], ...]
    switch: tuple[int, int, int]  # of the system clock: address, first bit of SW, first of SWS
    gates: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    once: frozenset[int] = frozenset()
    slow: Mapping[tuple[int, int], int] = field(default_factory=dict)
    pll: tuple[tuple[int, ...], tuple[int, int]] = ((), (0, 0))  # not to be touched while it is on


class Chip:
    def __init__(self, family: Family) -> None:
        self.family, self.registers = family, dict(family.registers)
        self.held = {place: self.at(place[0]) & place[1] for place in family.late}
        self.counts = dict.fromkeys(family.ready, 0)
        self.switching, self.written, self.paused, self.fast_halved = 0, set(), 0, False
        self.rates = family.rates(self)

    def at(self, address: int) -> int:
        return self.registers.get(address, 0)

    def bit(self, address: int, number: int) -> bool:
        return bool(self.at(address) >> number & 1)

    def read(self, address: int) -> int:
        for place in self.held:
            if place[0] == address:
                self.held[place] = self.at(address) & place[1]
        for control, (status, number) in self.family.ready.items():
            on = self.bit(*control)
            self.counts[control] = self.counts[control] + 1 if on else 0
            if on and self.counts[control] >= self.family.slow.get(control, POLLS):
                self.registers[status] = self.at(status) | 1 << number
        place, wanted, told = self.family.switch
        if address == place:
            self.switching += 1
            if self.switching >= POLLS:
                now = self.at(place) & ~(7 << told) | (self.at(place) >> wanted & self.wide) << told
                self.registers[place] = now
        return self.at(address)

    @property
    def wide(self) -> int:
        return (1 << self.family.switch[2] - self.family.switch[1]) - 1

    @property
    def source(self) -> int:
        place, _, told = self.family.switch
        return self.at(place) >> told & self.wide

    def write(self, address: int, value: int) -> None:
        gate = self.family.gates.get(address & ~0x3FF)
        rule(not gate or self.held.get((gate[0], 1 << gate[1]), 0) != 0, "its clock is not on yet")
        rule(address not in self.family.once or address not in self.written, "written twice")
        locked, on = self.family.pll
        rule(address not in locked or not self.bit(*on), "the PLL is on")
        self.written.add(address)
        self.registers[address] = value
        self.switching = 0

    def run(self, steps: tuple[Step, ...]) -> tuple[float, float]:
        for step in steps:
            if step.kind == PAUSE:
                self.paused += step.mask
            elif step.kind == AWAIT:
                polls = 0
                while self.read(step.address) & step.mask != step.value:
                    polls += 1
                    rule(polls < PATIENCE, "waits for ever")
            else:
                self.write(step.address, self.at(step.address) & ~step.mask | step.value)
            self.rates = self.family.rates(self)
        return self.rates


def pll_of_f4(chip: Chip) -> float:
    """M, N, P of an F4 or F7; HSI is 16 MHz."""
    value = chip.at(0x40023804)
    source = 16 * MHZ / (value & 63)
    vco = source * (value >> 6 & 511)
    if chip.bit(0x40023800, 24):
        rule(not value >> 22 & 1, "the PLL runs from HSI")
        rule(0.95 * MHZ <= source <= 2.1 * MHZ and 100 * MHZ <= vco <= 432 * MHZ, "VCO")
    return vco / (2 * (value >> 16 & 3) + 2)


def rates_of_f4(most: int, without: int, apb: int) -> Callable[[Chip], tuple[float, float]]:
    """``most`` MHz with over-drive, ``without``, and APB1's; APB2's is twice that."""

    def rates(chip: Chip) -> tuple[float, float]:
        pll, ready = pll_of_f4(chip), chip.bit(0x40023800, 25)
        core = pll if chip.source == 2 else 16 * MHZ
        rule(chip.at(0x40023808) & 3 != 2 or ready, "the PLL is not ready")
        waits = chip.held[0x40023C00, 15]
        rule(core <= 30 * MHZ * (waits + 1), "wait states")
        driven = chip.bit(0x40007004, 16) and chip.bit(0x40007004, 17)
        rule(not chip.bit(0x40007000, 17) or chip.bit(0x40007004, 16), "ODSWEN before ODRDY")
        rule(core <= (most if driven else without) * MHZ, "over-drive")
        switching = chip.bit(0x40007000, 17) and not driven
        rule(not (switching and chip.at(0x40023C00) & 15), "goes on while over-drive is switched")
        one, two = (core / HALVES[chip.at(0x40023808) >> at & 7] for at in (10, 13))
        rule(one <= apb * MHZ and two <= 2 * apb * MHZ, "APB")
        of_hsi = chip.at(0x40023890) >> 4 & 3 == 2
        return core, 16 * MHZ if of_hsi else one

    return rates


def f4(most: int, without: int, apb: int) -> Family:
    rcc, power, flash = 0x40023800, 0x40007000, 0x40023C00
    return Family(
        registers={rcc: 0x83, rcc + 4: 0x24003010, power: 0xC000},
        rates=rates_of_f4(most, without, apb),
        ready={
            (rcc, 24): (rcc, 25),
            (power, 16): (power + 4, 16),
            (power, 17): (power + 4, 17),
        },
        late=((flash, 15), (rcc + 0x40, 1 << 28)),
        switch=(rcc + 8, 0, 2),
        slow={(power, 17): 20, (rcc, 24): 45},
        gates={power: (rcc + 0x40, 28)},
        pll=((rcc + 4,), (rcc, 24)),
    )


def pll_of_l4(chip: Chip, source: float, output: int, divided: int) -> float:
    """M, N, R of an L4 or G0."""
    value = chip.at(0x4002100C)
    source /= (value >> 4 & 7) + 1
    vco = source * (value >> 8 & 127)
    if chip.bit(0x40021000, 24):
        rule(2.66 * MHZ <= source <= 16 * MHZ and 64 * MHZ <= vco <= 344 * MHZ, "VCO")
        rule(bool(value >> output & 1), "R is off")
    return vco / divided


def rates_of_l4(chip: Chip) -> tuple[float, float]:
    value = chip.at(0x4002100C)
    pll = pll_of_l4(chip, 4 * MHZ, 24, 2 * (value >> 25 & 3) + 2)
    rule(not chip.bit(0x40021000, 24) or value & 3 == 1, "the PLL runs from MSI")
    rule(chip.at(0x40021008) & 3 != 3 or chip.bit(0x40021000, 25), "the PLL is not ready")
    system = pll if chip.source == 3 else 4 * MHZ
    core = system / FAST_HALVES[chip.at(0x40021008) >> 4 & 15]
    rule(core <= 20 * MHZ * (chip.held[0x40022000, 0x10F] & 15) + 20 * MHZ, "wait states")
    rule(core <= (80 if chip.bit(0x40007080, 8) else 120) * MHZ, "range 1")
    if core > 80 * MHZ:  # a microsecond at half of it
        rule(chip.fast_halved and chip.paused >= core / 2 / MHZ, "from below 80 MHz at once")
    elif system > 80 * MHZ and not chip.fast_halved:
        chip.fast_halved, chip.paused = True, 0
    rule(chip.held[0x40022000, 0x10F] >> 8 or core < 80 * MHZ, "prefetch")
    serial = {0: core, 1: system, 2: 16 * MHZ}[chip.at(0x40021088) >> 10 & 3]
    rule(chip.at(0x40021088) >> 10 & 3 != 2 or chip.bit(0x40021000, 10), "HSI16 is off")
    return core, 256 * serial


def rates_of_g0(chip: Chip) -> tuple[float, float]:
    value = chip.at(0x4002100C)
    rule(not chip.bit(0x40021000, 24) or value & 3 == 2, "the PLL runs from HSI16")
    pll = pll_of_l4(chip, 16 * MHZ, 28, (value >> 29) + 1)
    rule(chip.at(0x40021008) & 7 != 2 or chip.bit(0x40021000, 25), "the PLL is not ready")
    core = pll if chip.source == 2 else 16 * MHZ
    waits = chip.held[0x40022000, 7]
    rule(core <= {0: 24, 1: 48, 2: 64}[waits] * MHZ, "wait states")
    return core, {0: core, 2: 16 * MHZ}[chip.at(0x40021054) >> 2 & 3]


L4 = Family(
    registers={0x40021000: 0x63, 0x40021058: 0, 0x40022000: 0x600, 0x40007080: 0x100}
    | {0x4002100C: 0x1000},
    rates=rates_of_l4,
    ready={(0x40021000, 24): (0x40021000, 25), (0x40021000, 8): (0x40021000, 10)},
    late=((0x40022000, 0x10F), (0x40021058, 1 << 28)),
    switch=(0x40021008, 0, 2),
    slow={(0x40021000, 8): 40},
    gates={0x40007000: (0x40021058, 28)},
    pll=((0x4002100C,), (0x40021000, 24)),
)
G0 = Family(
    registers={0x40021000: 0x500, 0x40022000: 0x600, 0x4002100C: 0x1000},
    rates=rates_of_g0,
    ready={(0x40021000, 24): (0x40021000, 25)},
    late=((0x40022000, 7),),
    switch=(0x40021008, 0, 3),
    pll=((0x4002100C,), (0x40021000, 24)),
)


def rates_of_h7(
    supply: int, most: int, axi: int, apb: int, waits: tuple[int, ...], writes: tuple[int, ...]
) -> Callable[[Chip], tuple[float, float]]:
    """MHz at the highest scale: of core, AXI and APBs, and of AXI for each count of wait states."""

    def rates(chip: Chip) -> tuple[float, float]:
        at, bit = chip.at, chip.bit
        rule(0x5802480C not in chip.written or at(0x5802480C) & 0x3F == supply, "another supply")
        settled = 0x5802480C in chip.written and bit(0x58024804, 13)
        rule(at(0x58024818) >> 14 & 3 != 3 or settled, "the supply is not set up")
        source = 64 * MHZ / max(at(0x58024428) >> 4 & 63, 1)
        ratio, divider = (at(0x58024430) & 511) + 1, (at(0x58024430) >> 9 & 127) + 1
        if bit(0x58024400, 24):
            settings = at(0x5802442C)
            allowed = {0: (1, 2), 1: (2, 4), 2: (4, 8), 3: (8, 16)}[settings >> 2 & 3]
            rule(allowed[0] * MHZ <= source < allowed[1] * MHZ, "the PLL's input")
            rule(not settings & 3 and 192 * MHZ <= source * ratio <= 836 * MHZ, "VCO")
            rule(bool(settings >> 16 & 1), "P is off")
        rule(at(0x58024410) & 7 != 3 or bit(0x58024400, 25), "the PLL is not ready")
        core = source * ratio / divider if chip.source == 3 else 64 * MHZ
        matrix = core / FAST_HALVES[at(0x58024418) & 15]
        told = chip.held[0x52002000, 0x3F]
        raised = at(0x58024818) >> 14 & 3 == 3 and bit(0x58024818, 13)
        rule(core <= (most if raised else 88) * MHZ and matrix <= axi * MHZ, "voltage")
        rule(matrix <= waits[told & 15] * MHZ, "wait states")
        rule(matrix <= writes[told >> 4 & 3] * MHZ, "WRHIGHFREQ")
        fields = (0x58024418, 4), (0x5802441C, 4), (0x5802441C, 8), (0x58024420, 4)
        buses = [matrix / HALVES[at(place) >> first & 7] for place, first in fields]
        rule(max(buses) <= apb * MHZ, "APB")
        return core, 64 * MHZ if at(0x58024454) & 7 == 3 else buses[1]

    return rates


def h7(rates: Callable[[Chip], tuple[float, float]]) -> Family:
    rcc, power = 0x58024400, 0x58024800
    registers = {rcc: 0x25, rcc + 0x28: 0x02020200, rcc + 0x2C: 0x01FF0000, rcc + 0x30: 0x01010280}
    return Family(
        registers=registers | {power + 0x0C: 6, power + 0x18: 0x4000, 0x52002000: 0x13},
        rates=rates,
        # The supply is set up once it is written: whichever of its two bits is on.
        ready={
            (rcc, 24): (rcc, 25),
            (power + 0x0C, 1): (power + 4, 13),
            (power + 0x0C, 2): (power + 4, 13),
            (power + 0x18, 15): (power + 0x18, 13),
        },
        late=((0x52002000, 0x3F),),
        switch=(rcc + 0x10, 0, 3),
        once=frozenset({power + 0x0C}),
        slow={(power + 0x18, 15): 20},
        pll=((rcc + 0x28, rcc + 0x2C, rcc + 0x30), (rcc, 24)),
    )


FAMILIES = {
    "nucleo_f446re": f4(180, 168, 45),
    "nucleo_f767zi": f4(216, 180, 54),
    "nucleo_l4r5zi": L4,
    "nucleo_g0b1re": G0,
    "nucleo_h743zi": h7(rates_of_h7(2, 400, 200, 100, (70, 140, 185, 210, 225), (70, 185, 225, 0))),
    "nucleo_1mb": h7(
        rates_of_h7(4, 280, 280, 140, (44, 88, 132, 176, 220, 264, 280), (88, 176, 264, 280))
    ),
}


@pytest.fixture(params=sorted(FAMILIES))
def name(request):
    return request.param


def test_every_rule_of_the_manual_is_kept_and_the_rates_are_those_of_the_boards_file(name):
    board = load(name)
    core, serial = Chip(FAMILIES[name]).run(board.clock.parsed)
    assert (core, serial) == (board.clock.hz, board.serial.clock_hz)
    assert board.running_hz == board.clock.hz <= board.clock_hz
    assert Chip(FAMILIES[name]).rates[0] == board.reset_clock_hz


def test_no_step_can_be_left_out(name):
    board = load(name)
    wanted = board.clock.hz, board.serial.clock_hz
    unneeded = []
    for number in range(len(board.clock.parsed)):
        steps = board.clock.parsed[:number] + board.clock.parsed[number + 1 :]
        try:
            rates = Chip(FAMILIES[name]).run(steps)
        except BrokenRule:
            continue
        if rates == wanted:
            unneeded.append(board.clock.steps[number])
    assert not unneeded


def test_boards_without_steps_run_as_reset_leaves_them():
    for name in set(names()) - set(FAMILIES):
        board = load(name)
        assert not board.clock.steps
        assert board.running_hz == (board.reset_clock_hz or board.clock_hz)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (("0x40021001 & 0x1 = 0x1",), r"steps\[0\]: needs an address of a word"),
        (("pause 5", "0x40021000 & 0x1 = 0x3"), r"steps\[1\]: needs .* no bits of the value"),
        (("0x40021000 = 0x3",), r"steps\[0\]: must be 'ADDRESS & MASK = VALUE'"),
        (("pause 9999999",), r"steps\[0\]: must be"),
        (("pause 5",) * 65, "steps: must be at most 64; got 65"),
    ],
)
def test_steps_that_are_none_are_refused_by_their_number(steps, message):
    with pytest.raises(ValueError, match=rf"device\.clock\.{message}"):
        Clock(1_000_000, steps)


def test_a_rate_goes_with_steps_and_is_none_above_the_boards():
    for wrong in ({"hz": 5}, {"steps": ("pause 1",)}, {"hz": 2**32, "steps": ("pause 1",)}):
        with pytest.raises(ValueError, match=r"device\.clock\.hz: must be what the core runs at"):
            Clock(**wrong)
    with pytest.raises(ValueError, match=r"device\.clock\.hz: must be at most device\.clock_hz"):
        replace(load("nucleo_g0b1re"), clock=Clock(64_000_001, ("pause 1",)))
