"""Time that passes, and the processor time that a process uses meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass
from time import CLOCK_PROCESS_CPUTIME_ID, clock_gettime, perf_counter


@dataclass(frozen=True)
class Time:
    """Seconds on the wall, and of all processors together."""

    wall: float
    cpu: float

    def __add__(self, other: "Time") -> "Time":
        return Time(self.wall + other.wall, self.cpu + other.cpu)

    def __sub__(self, other: "Time") -> "Time":
        return Time(self.wall - other.wall, self.cpu - other.cpu)

    def __mul__(self, factor: float) -> "Time":
        return Time(self.wall * factor, self.cpu * factor)


def now(synchronize: Callable[[], None]) -> Time:
    """Now, once the device has done its work."""
    synchronize()
    return Time(perf_counter(), clock_gettime(CLOCK_PROCESS_CPUTIME_ID))


def processor_time(process: int) -> float:
    """The processor time of another process; not a number where the system has no such clock."""
    try:
        return clock_gettime((~process << 3) | 2)  # Linux: the clock of a process by its id
    except OSError:
        return float("nan")
