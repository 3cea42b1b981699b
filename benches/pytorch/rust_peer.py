"""The Rust side: a process that keeps a layer loaded and answers a line with a line."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from clock import Time
from problem import Problem
from process import Process

ALLOCATOR = "MALLOC_"
"""Settings of the C allocator begin so."""


class RustPeer(Process):
    """The program `peer.rs`, built and started."""

    def __init__(self, device: str, threads: int, folder: Path, same_allocator: bool) -> None:
        features = "cuda" if device == "cuda" else ""
        without = None if same_allocator else ALLOCATOR
        super().__init__("peer", threads, device, features=features, without=without)
        self._folder = folder
        self._linear = False

    def load(self, problem: Problem) -> None:
        """Gives it a layer and its batch."""
        layer, x, weight = problem.layer, problem.x, problem.weight
        self._linear = layer.is_linear
        if self._linear:
            x, weight = x.flatten(1), weight.flatten(1).T
        file = self._folder / "layer.safetensors"
        save_file({"x": x.contiguous().cpu(), "weight": weight.contiguous().cpu()}, file)
        self.ask(f"load {file} {layer.stride} {layer.padding}")

    def delta(self, work: str, shape: torch.Size) -> Tensor:
        """The update, `[neurons, channels, kernel, kernel]`."""
        file = self._folder / "delta.safetensors"
        self.ask(f"delta {work} {file}")
        delta = load_file(file)["delta"]
        return (delta.T if self._linear else delta).reshape(shape)

    def time(self, work: str, repeats: int = 2) -> Time:
        """The last of these steps, the others warm up; the processor time is the mean of all."""
        before = self.processor_time()
        wall = float(self.ask(f"time {work} {repeats}"))
        return Time(wall, (self.processor_time() - before) / repeats)

    def net(self, name: str, weights: Path, batch: Path) -> None:
        """Gives it a network of torchvision's with its weights and a batch."""
        self.ask(f"net {name} {weights} {batch}")

    def apart(self, rule: str, rate: float, weights: Path) -> tuple[float, str]:
        """How far its weights after a step are from these, of a layer's largest, and of which layer."""
        apart, layer = self.ask(f"apart {rule} {rate} {weights}").split()
        return float(apart), layer

    def peak(self, rule: str) -> int:
        """The bytes of a step at its peak, beyond weights and images."""
        return int(self.ask(f"peak {rule}"))

    def whiten(self, files: Path) -> float:
        """Fits and keeps the whitening of the training images; the seconds of the fit."""
        return float(self.ask(f"whiten {files}"))

    def protocol(self, name: str, files: Path, weights: Path) -> tuple[Time, dict[str, float]]:
        """Runs a protocol: what it took, all and by phase."""
        before = self.processor_time()
        words = self.ask(f"protocol {name} {files} {weights}").split()
        phases = {phase: float(seconds) for phase, seconds in zip(words[::2], words[1::2], strict=True)}
        return Time(sum(phases.values()), self.processor_time() - before), phases

    def outcome(self, file: Path) -> None:
        """Writes what the last protocol learned, and features of all images."""
        self.ask(f"outcome {file}")
