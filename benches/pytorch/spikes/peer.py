"""The Rust side: a process that keeps a layer loaded and answers a line with a line."""

from pathlib import Path

from clock import Time
from process import Process
from safetensors.torch import load_file, save_file
from step import MINUS, PLUS, TAU_POST, TAU_PRE, Problem
from torch import Tensor


class Peer(Process):
    """The program `peer.rs`, built and started."""

    def __init__(self, threads: int, folder: Path) -> None:
        super().__init__("spikes_peer", threads)
        self._folder = folder

    def load(self, problem: Problem) -> None:
        """Gives it a layer and its spikes."""
        layer, file = problem.layer, self._folder / "layer.safetensors"
        save_file({"x": problem.x.flatten(0, 1), "weight": problem.weight}, file)
        numbers = (layer.threshold, TAU_PRE, TAU_POST, PLUS, MINUS)
        self.ask(f"load {file} {layer.steps} {layer.padding} {' '.join(map(str, numbers))}")

    def step(self) -> tuple[Tensor, Tensor]:
        """The spikes of a step, and the weight after it."""
        file = self._folder / "after.safetensors"
        self.ask(f"step {file}")
        after = load_file(file)
        return after["spikes"], after["weight"]

    def time(self) -> Time:
        """One step; the processor time is the mean of that step and the one that warms up."""
        before = self.processor_time()
        wall = float(self.ask("time"))
        return Time(wall, (self.processor_time() - before) / 2)

    def peak(self) -> int:
        """The bytes of a step at its peak, beyond weight and input."""
        return int(self.ask("peak"))
