"""Time and memory of one step of spiking layers: snnTorch, PyTorch by hand, burn-hebbian."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

sys.path.append(str(Path(__file__).resolve().parents[1]))

import torch
from clock import Time, now
from peer import Peer
from step import LAYERS, Problem, folded_step, snntorch_step

TOLERANCE = 1e-3
"""Of the largest change of a weight: half a million terms of both signs, summed in single precision."""

ASLEEP = 0.02
"""Seconds after which PyTorch's threads no longer look for work."""

FORMS = {"snnTorch": snntorch_step, "PyTorch, folded by hand": folded_step}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="measurements of each form")
    parser.add_argument("--images", type=int, default=16, help="images of a step")
    parser.add_argument("--threads", type=int, default=2, help="threads of either side")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as folder, Peer(arguments.threads, Path(folder)) as peer:
        print(f"{peer.info()}; PyTorch {torch.__version__}, {arguments.threads} threads; {arguments.images} images")
        print(f"medians of {arguments.rounds}, quartiles in brackets\n")
        print("| layer | form | ms | processor ms | times ours | times ours, processor | peak MB |")
        print("|---|---|---|---|---|---|---|")
        for layer in LAYERS:
            problem = Problem.random(layer, arguments.images)
            peer.load(problem)
            check(problem, peer)
            report(problem, peer, arguments.rounds)


def check(problem: Problem, peer: Peer) -> None:
    """All spikes, and the weights after a step, against snnTorch's in double precision: before anything is timed."""
    spikes, weight = snntorch_step(problem.double())
    largest = (weight - problem.weight).abs().max()
    found = {"burn-hebbian": peer.step(), **{name: form(problem) for name, form in FORMS.items()}}
    for name, (own_spikes, own_weight) in found.items():
        if not torch.equal(own_spikes.double().reshape(spikes.shape), spikes):
            sys.exit(f"{problem.layer.name}: {name} has other spikes than snnTorch in double precision")
        apart = ((own_weight.double() - weight).abs().max() / largest).item()
        if not apart < TOLERANCE:
            sys.exit(f"{problem.layer.name}: weights of {name} differ by {apart:.1e} of the largest change")
        print(f"{problem.layer.name}: the spikes of {name} agree, weights to {apart:.1e}", file=sys.stderr)


def report(problem: Problem, peer: Peer, rounds: int) -> None:
    """Every form once in every round, ours in turn with PyTorch's."""
    times: dict[str, list[Time]] = {name: [] for name in [*FORMS, "burn-hebbian"]}
    for _ in range(rounds):
        for name, form in FORMS.items():
            times[name].append(timed(lambda form=form: form(problem)))
        time.sleep(ASLEEP)
        times["burn-hebbian"].append(peer.time())
    peaks = {name: peak(lambda form=form: form(problem)) for name, form in FORMS.items()}
    peaks["burn-hebbian"] = peer.peak()
    ours = times["burn-hebbian"]
    for name, own in times.items():
        ratios = [[getattr(a, part) / getattr(b, part) for a, b in zip(own, ours)] for part in ("wall", "cpu")]
        columns = [spread([1e3 * one.wall for one in own]), spread([1e3 * one.cpu for one in own])]
        columns += [spread(values) for values in ratios]
        print(f"| {problem.layer.name} | {name} | {' | '.join(columns)} | {peaks[name] / 1e6:.1f} |", flush=True)


def timed(step: Callable[[], object]) -> Time:
    """One step, after another that warms up."""
    step()
    before = now(lambda: None)
    step()
    return now(lambda: None) - before


def spread(values: list[float]) -> str:
    """The median and the quartiles."""
    low, _, high = quantiles(values, n=4) if len(values) > 1 else values * 3
    return f"{median(values):.3g} ({low:.3g}–{high:.3g})"


def peak(step: Callable[[], object]) -> int:
    """The bytes of a step at its peak, beyond weight and input: what PyTorch's allocator says."""
    step()
    with torch.profiler.profile(profile_memory=True) as profile:
        step()
    held, most = 0, 0
    for event in profile.profiler.kineto_results.events():
        if event.name() == "[memory]":
            held += event.nbytes()
            most = max(most, held)
    return most


if __name__ == "__main__":
    main()
