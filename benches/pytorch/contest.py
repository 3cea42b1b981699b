"""One layer: the check that all forms compute the same, the choice of the tuned variants, and the paired rounds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import sleep

import torch
from torch import Tensor

from backprop import LAYOUTS, Backprop
from clock import Time, now
from fasthebb import PerPatch, fasthebb
from problem import Problem
from rust_peer import RustPeer
from tuned import Step, Tuned, Variant, variants

TOLERANCE = 1e-4
"""Of an update, relative to the largest value of the reference."""

FLOOR = ("forward", "gradient")
"""Works without a rule."""

PER_PATCH_ROUNDS = 3
"""Rounds in which the per-patch form takes part."""

PAUSE = 0.02
"""Seconds before the peer's turn: PyTorch's threads look for more work for about 4 ms before they sleep."""


class Disagreement(RuntimeError):
    """Two forms that should compute the same do not."""


@dataclass(frozen=True)
class Options:
    """What is compared and how often."""

    rules: list[str]
    forms: list[str]
    rounds: int
    rehearsals: int
    """Rounds by whose shortest time a variant is chosen."""
    compilers: bool
    device: torch.device


@dataclass
class Result:
    """The times of one layer, by name of the form, round by round."""

    layer: str
    times: dict[str, list[Time]] = field(default_factory=dict)
    chosen: dict[str, str] = field(default_factory=dict)

    def add(self, form: str, time: Time) -> None:
        """One round of one form."""
        self.times.setdefault(form, []).append(time)


class Contest:
    """All forms of one layer."""

    def __init__(self, problem: Problem, peer: RustPeer, options: Options) -> None:
        self.problem = problem
        self.peer = peer
        self.options = options
        self.works = [*FLOOR, *options.rules]
        self.result = Result(str(problem.layer))
        peer.load(problem)

    def run(self) -> Result:
        """Checks, chooses, measures."""
        self._check()
        forms = dict(self._forms())
        for turn in range(self.options.rounds):
            for name, time in forms.items():
                if turn < PER_PATCH_ROUNDS or not name.startswith("per patch"):
                    self.result.add(name, time())
        return self.result

    def _check(self) -> None:
        """Compares the update of every form with FastHebb's in double precision."""
        exact = self.problem.double()
        for work in ["gradient", *self.options.rules]:
            expected = self._scaled_hebb(exact) if work == "gradient" else fasthebb(exact, work)[1]
            for form, delta in self._deltas(work):
                compare(f"{form}, {work}, {self.problem.layer}", delta, expected)

    def _scaled_hebb(self, exact: Problem) -> Tensor:
        """The gradient whose coefficients are the responses: Hebb's update as a sum."""
        return fasthebb(exact, "hebb")[1] * exact.patches

    def _deltas(self, work: str) -> Iterator[tuple[str, Tensor]]:
        """The update of every form; of the tuned form, of every variant."""
        yield "burn-hebbian", self.peer.delta(work, self.problem.weight.shape)
        for variant in self._variants(work):
            yield f"tuned ({variant})", Tuned(self.problem, variant).step(work)()[1]
        if work == "gradient":
            yield "burn-hebbian backprop", self.peer.delta("backprop", self.problem.weight.shape)
            for layout in LAYOUTS:
                yield f"backprop ({layout})", self._backprop(layout)()[1]
            return
        yield "FastHebb", fasthebb(self.problem, work)[1]
        if "per-patch" in self.options.forms:
            yield "per patch", PerPatch(self.problem, work).delta()

    def _forms(self) -> Iterator[tuple[str, Callable[[], Time]]]:
        """The time of every form by its name, each of PyTorch's beside ours."""
        yield "backprop", self._timer(self._chosen("backprop", {name: self._backprop(name) for name in LAYOUTS}))
        yield "our backprop", self._peer_timer("backprop")
        for work in self.works:
            steps = {str(variant): Tuned(self.problem, variant).step(work) for variant in self._variants(work)}
            yield f"tuned {work}", self._timer(self._chosen(work, steps))
            yield f"our {work}", self._peer_timer(work)
            if work in FLOOR:
                continue
            if "fasthebb" in self.options.forms:
                yield f"FastHebb {work}", self._timer(lambda work=work: fasthebb(self.problem, work))
            if "per-patch" in self.options.forms:
                per_patch = PerPatch(self.problem, work)
                yield f"per patch {work}", lambda per_patch=per_patch: per_patch.time(self._synchronize)

    def _variants(self, work: str) -> list[Variant]:
        return variants(work, self.options.device, self.options.compilers)

    def _backprop(self, layout: str) -> Step:
        step = Backprop(self.problem, layout).step
        return torch.enable_grad()(step)

    def _chosen(self, work: str, steps: dict[str, Step]) -> Step:
        """The variant with the shortest time of all rehearsals."""
        best = dict.fromkeys(steps, float("inf"))
        for _ in range(self.options.rehearsals):
            for name, step in steps.items():
                best[name] = min(best[name], self._timer(step)().wall)
        name = min(best, key=best.__getitem__)
        self.result.chosen[work] = name
        return steps[name]

    def _timer(self, step: Step) -> Callable[[], Time]:
        """The time of one step with the release of what it made, after another that warms up."""

        def time() -> Time:
            step()
            start = now(self._synchronize)
            step()
            return now(self._synchronize) - start

        return time

    def _peer_timer(self, work: str) -> Callable[[], Time]:
        def time() -> Time:
            sleep(PAUSE)
            return self.peer.time(work)

        return time

    def _synchronize(self) -> None:
        if self.options.device.type == "cuda":
            torch.cuda.synchronize()


def compare(what: str, delta: Tensor, expected: Tensor) -> None:
    """Raises where the largest difference, relative to the largest value, is beyond the tolerance."""
    difference = (delta.to(expected.device, torch.float64) - expected).abs().max() / expected.abs().max()
    if not difference <= TOLERANCE:  # also where it is not a number
        raise Disagreement(f"{what}: update differs by {difference:.2e} of its largest value")
