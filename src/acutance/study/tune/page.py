"""One page a search, for people: the picks first, then what they rest on, then how it was made."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from acutance.evaluation.judging import card_of
from acutance.storage import write_atomically
from acutance.study.compare.figures.figure import Figure
from acutance.study.compare.figures.forest import sign
from acutance.study.numbers import digits, in_unit
from acutance.study.report import Table, render
from acutance.study.statistics import PairedResult
from acutance.study.tune.figures.knobs import growth, knob_figures
from acutance.study.tune.figures.plane import dots, planes
from acutance.study.tune.figures.scatter import START_LOOK, kind_of, look_of
from acutance.study.tune.found import Found, Member
from acutance.study.tune.front import PICKS
from acutance.study.tune.search import SAMPLERS
from acutance.study.tune.wording import apply_command, front_head, front_rows, gain


@dataclass(frozen=True)
class Pick:
    """A named member of the front: what it gains over the start, and how to train with it."""

    look: int
    names: str
    trial: int
    loss: str
    values: str
    marks: tuple[tuple[str, str], ...]  # a word and the interval that it rests on
    fell_back: bool
    command: str


@dataclass(frozen=True)
class TunePage:
    """What the page shows, in this order."""

    title: str
    picks: tuple[Pick, ...]
    lead: str
    failed: tuple[int, ...]
    is_plane: bool
    planes: tuple[Figure, ...]
    growth: Figure
    growth_note: str
    knobs: tuple[Figure, ...]
    is_pool: bool
    front: Table
    trials: Table
    facts: tuple[tuple[str, str], ...]
    settings: str
    remarks: tuple[str, ...]


def write_page(path: Path, found: Found, record: Mapping[str, Any]) -> None:
    """Write the page of a search as one HTML file without any outside part.

    `record` is what was settled when the search began.
    """
    from markupsafe import Markup

    values = {
        "page": _page(path.parent, found, record),
        "sign": lambda word: Markup(sign(word)),
        "start_look": START_LOOK,
    }
    write_atomically(path, render("tune.html", values))


def _page(folder: Path, found: Found, record: Mapping[str, Any]) -> TunePage:
    search = found.tuning.search
    return TunePage(
        title=_title(found),
        picks=_picks(folder, found),
        lead=_lead(found),
        failed=found.failed,
        is_plane=len(search.objective) > 1,
        planes=planes(found) if len(search.objective) > 1 else dots(found),
        growth=growth(found),
        growth_note=_growth_note(found),
        knobs=knob_figures(found),
        is_pool=bool(search.terms),
        front=_front_table(found),
        trials=_trial_table(found),
        facts=_facts(found, record),
        settings=tomli_w.dumps(found.tuning.to_tables()),
        remarks=_remarks(found),
    )


def _title(found: Found) -> str:
    search = found.tuning.search
    if search.terms:
        return f"Which shares of {', '.join(search.terms)}?"
    return f"Which weights in {search.loss}?"


def _picks(folder: Path, found: Found) -> tuple[Pick, ...]:
    """One for each picked trial, from the most faithful to the sharpest."""
    picked = [member for member in found.front if member.names]
    picked.sort(key=lambda member: PICKS.index(member.names[0]))
    return tuple(_pick(folder, found, member) for member in picked)


def _pick(folder: Path, found: Found, member: Member) -> Pick:
    objective = found.tuning.search.objective
    values = zip(objective, member.trial.values, strict=True)
    return Pick(
        look=look_of(member.names[0]),
        names=", ".join(member.names),
        trial=member.trial.number,
        loss=member.trial.loss,
        values=", ".join(f"{m} {in_unit(v, m)}" for m, v in values),
        marks=tuple(
            (_word(result, m), f"{m} {gain(result, m)} {card_of(m).unit}".rstrip())
            for m, result in zip(objective, member.again, strict=bool(member.again))
        ),
        fell_back=bool(member.again) and not member.holds,
        command=apply_command(folder, member.names[0]),
    )


def _word(gain: PairedResult, metric: str) -> str:
    """Whether the interval lies on one side of the start."""
    if gain.low <= 0 <= gain.high:
        return "no difference shown"
    return "better" if (gain.mean > 0) == (card_of(metric).direction == "higher") else "worse"


def _lead(found: Found) -> str:
    search, network = found.tuning.search, found.tuning.recipe.network
    whole = sum(trial.steps == found.tuning.stops[-1] for trial in found.trials)
    begun = f"beginning from {network.start}" if network.start else "beginning untrained"
    return (
        f"The network {network.name}, {begun}, learned to enlarge pictures {network.scale} times "
        f"in {len(found.trials)} trials, each under a loss of its own; {whole} went on to "
        f"{search.steps:,} steps, the others were halted before. {_front_words(found)} trained "
        f"again under {search.again} fresh seeds and compared with the start, which is "
        f"{'that model' if network.start else 'bicubic'}."
    )


def _front_words(found: Found) -> str:
    """Which trials were run again; the sentence goes on with a participle."""
    objective = found.tuning.search.objective
    if len(objective) == 1:
        return f"The best by {objective[0]} was"
    front, again = len(found.front), sum(bool(member.again) for member in found.front)
    if front == 1:
        return f"One is better than all others in {' and '.join(objective)}, and was"
    return (
        f"{front} make up the front: no other trial is better in everything that was looked for "
        f"({', '.join(objective)}). {'All' if again == front else f'{again} of these'} were"
    )


def _growth_note(found: Found) -> str:
    objective = found.tuning.search.objective
    corner = ", ".join(
        f"{m} {in_unit(v, m)}" for m, v in zip(objective, found.reference, strict=True)
    )
    if len(objective) == 1:
        what = "How far the best trial so far is ahead of the worst whole one"
    else:
        what = "The hypervolume of the front so far: what it beats, down to the worst values"
    return (
        f"{what} ({corner}), against the training steps that trials had spent; halted trials cost "
        "less. Where it has long been flat, more trials of this kind are unlikely to help. Fresh "
        "seeds are not counted."
    )


def _front_table(found: Found) -> Table:
    rows = tuple(front_rows(found))
    best = tuple(k for k, member in enumerate(found.front) if member.names)
    head = (*front_head(found)[:-1], "remark")
    return Table(head, rows, best=best, text=(1, len(head) - 1))


def _trial_table(found: Found) -> Table:
    metrics = found.tuning.search.objective
    words = {"halted": "halted", "whole": "whole", "front": "front", "pick": "front"}
    rows = []
    for trial in found.trials:
        kind, _, names = kind_of(found, trial)
        what = words[kind] + (f": {names}" if names else "")
        values = (digits(v, m) for m, v in zip(metrics, trial.values, strict=True))
        rows.append((str(trial.number), trial.loss, *values, f"{trial.steps:,}", what))
    heads = (f"{m} {card_of(m).unit}".strip() for m in metrics)
    head = ("trial", "loss", *heads, "steps", "what became of it")
    return Table(head, tuple(rows), text=(1, len(head) - 1))


def _facts(found: Found, record: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    search, recipe = found.tuning.search, found.tuning.recipe
    plan = record["plan"]
    name, settings = SAMPLERS[search.sampler]
    chosen = ", ".join(f"{key} {value}" for key, value in settings.items())
    halts = ", ".join(f"{stop:,}" for stop in found.tuning.stops[:-1])
    fresh = f"{recipe.seed + 1} to {recipe.seed + search.again}"
    judged = ", ".join(recipe.data.val) or f"{recipe.data.hold_out:.0%} of the training pictures"
    spent = sum(trial.steps for trial in found.trials)
    return (
        ("command", str(record["command"])),
        ("trials", f"{len(found.trials)} finished, {len(found.failed)} failed, {spent:,} steps"),
        ("halts", f"{halts} steps; the better {search.keep:.0%} goes on" if halts else "none"),
        ("sampler", f"{name} of Optuna" + (f": {chosen}" if chosen else "")),
        ("seeds", f"{recipe.seed} for every trial, {fresh} for the front"),
        ("judged on", f"{judged}, held out of training"),
        ("protocol", search.protocol),
        ("fingerprint of the training pictures", str(plan["fingerprint"])),
        ("computed with", f"{plan['threads']} threads, {plan['precision']}, {plan['device']}"),
        ("versions", ", ".join(f"{k} {v}" for k, v in record["versions"].items())),
    )


def _remarks(found: Found) -> tuple[str, ...]:
    search = found.tuning.search
    corner = (
        "Hypervolume depends on its corner, here the worst of the whole trials. It shows whether "
        "this search still gains; beside another search with another corner it means nothing."
    )
    return (
        "Each trial is one training under one seed. Two trials that lie close may change places "
        "under another.",
        "What was chosen for its scores looks better than it is: luck was chosen with it. That is "
        f"why the front was trained again under {search.again} seeds that had no part in the "
        "choice. Believe those, and read “fell back” as: not on the front without its luck.",
        "Trials were judged on pictures held out of training, and no test set was seen. Pictures "
        "of another kind may want other weights, and so may longer training or another network.",
        *([corner] if len(search.objective) > 1 else []),
        "A network that scores is never a term of the loss: a loss that trains towards its own "
        "judge would win without better pictures.",
    )
