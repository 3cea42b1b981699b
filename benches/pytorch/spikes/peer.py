"""The Rust side: a process that keeps a layer loaded and answers a line with a line."""

import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from clock import Time, processor_time
from safetensors.torch import load_file, save_file
from step import MINUS, PLUS, TAU_POST, TAU_PRE, Problem
from torch import Tensor

WORKSPACE = Path(__file__).resolve().parents[3]


class Peer:
    """The program `peer.rs`, built and started."""

    def __init__(self, threads: int, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            ["cargo", "run", "--release", "--quiet", "--example", "spikes_peer"],
            cwd=WORKSPACE,
            env=os.environ | {"RAYON_NUM_THREADS": str(threads)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._process.stdin.close()
        self._process.wait()

    def info(self) -> str:
        """What computes there."""
        return self._ask("info")

    def load(self, problem: Problem) -> None:
        """Gives it a layer and its spikes."""
        layer, file = problem.layer, self._folder / "layer.safetensors"
        save_file({"x": problem.x.flatten(0, 1), "weight": problem.weight}, file)
        numbers = (layer.threshold, TAU_PRE, TAU_POST, PLUS, MINUS)
        self._ask(f"load {file} {layer.steps} {layer.padding} {' '.join(map(str, numbers))}")

    def step(self) -> tuple[Tensor, Tensor]:
        """The spikes of a step, and the weight after it."""
        file = self._folder / "after.safetensors"
        self._ask(f"step {file}")
        after = load_file(file)
        return after["spikes"], after["weight"]

    def time(self) -> Time:
        """One step; the processor time is the mean of that step and the one that warms up."""
        before = processor_time(self._process.pid)
        wall = float(self._ask("time"))
        return Time(wall, (processor_time(self._process.pid) - before) / 2)

    def peak(self) -> int:
        """The bytes of a step at its peak, beyond weight and input."""
        return int(self._ask("peak"))

    def _ask(self, request: str) -> str:
        self._process.stdin.write(request + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        if not answer or answer.startswith("error"):
            raise RuntimeError(f"{request}: {answer or 'the peer ended'}")
        return answer
