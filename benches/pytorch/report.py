"""Tables of medians and of ratios."""

from statistics import median

from clock import Time
from contest import Result

FORMS = ("per patch", "FastHebb", "tuned")
"""Rows of a rule's table above ours, as they begin in a result's names."""

Row = tuple[str, str, str]
"""The title, the name of the form, the name of ours that it is divided by."""


def tables(results: list[Result], rules: list[str]) -> str:
    """One table a rule, one of works without a rule, one of the variants that were chosen."""
    parts = [table(f"`{rule}`", rule_rows(results[0], rule), results) for rule in rules]
    return "\n\n".join([*parts, table("without a rule", floor_rows(), results), variants(results)])


def rule_rows(result: Result, rule: str) -> list[Row]:
    """Every form of a rule that was measured, and ours."""
    ours = f"our {rule}"
    forms = [(form, f"{form} {rule}", ours) for form in FORMS]
    forms = [row for row in forms if row[1] in result.times]
    return [*forms, ("backprop", "backprop", ours), ("burn-hebbian", ours, ours)]


def floor_rows() -> list[Row]:
    """What both sides need at least, and backprop against backprop."""
    works = [("forward", "tuned forward"), ("gradient", "tuned gradient"), ("backprop", "backprop")]
    pairs = [[(f"{work}, PyTorch", form), (f"{work}, burn-hebbian", f"our {work}")] for work, form in works]
    return [(title, form, f"our {work}") for (work, _), pair in zip(works, pairs) for title, form in pair]


def table(title: str, rows: list[Row], results: list[Result]) -> str:
    """A row a form, a column a layer, and their sum."""
    lines = [[title, *(result.layer for result in results), "all layers"]]
    for name, form, ours in rows:
        columns = [(result.times[form], result.times[ours]) for result in results]
        columns.append((summed([times for times, _ in columns]), summed([times for _, times in columns])))
        lines.append([name, *(cell(times, reference, form == ours) for times, reference in columns)])
    return markdown(lines)


def cell(times: list[Time], ours: list[Time], is_ours: bool) -> str:
    """Milliseconds; the ratio to ours, the median of the rounds; in brackets the ratio of processor times."""
    milliseconds = f"{1e3 * median(time.wall for time in times):.1f}"
    if is_ours:
        return milliseconds
    wall = median(time.wall / our.wall for time, our in zip(times, ours))
    cpu = median(time.cpu / our.cpu for time, our in zip(times, ours))
    return f"{milliseconds} **{wall:.2f}** ({cpu:.2f})"


def summed(columns: list[list[Time]]) -> list[Time]:
    """The sum over layers, round by round."""
    return [sum(times, Time(0.0, 0.0)) for times in zip(*columns)]


def variants(results: list[Result]) -> str:
    """Which variant of PyTorch's was the fastest, by work and layer."""
    lines = [["variant", *(result.layer for result in results)]]
    lines += [[work, *(result.chosen[work] for result in results)] for work in results[0].chosen]
    return markdown(lines)


def markdown(lines: list[list[str]]) -> str:
    """A table whose first line is its head."""
    head, *body = lines
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *body])
