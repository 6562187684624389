"""What each knob did to each objective, and how the area grew with the steps spent."""

from acutance.evaluation.judging import card_of
from acutance.study.axes import Axis
from acutance.study.charts import Chart, Curve
from acutance.study.compare.figures.figure import Figure, chart_figure
from acutance.study.tune.figures.scatter import (
    Scatter,
    Spot,
    axis_label,
    in_order,
    kind_of,
    log_marks,
    scatter_figure,
    told,
)
from acutance.study.tune.found import Found, Tried
from acutance.study.tune.space import Knob


def knob_figures(found: Found) -> tuple[Figure, ...]:
    """One small chart for each knob and each objective."""
    space = found.tuning.space
    return tuple(
        _figure(found, k, metric)
        for k in range(len(space.knobs))
        for metric in range(len(found.tuning.search.objective))
    )


def _figure(found: Found, knob: int, metric: int) -> Figure:
    space = found.tuning.space
    made = space.knobs[knob]
    name = space.terms[knob] if space.terms else made.name
    objective = found.tuning.search.objective[metric]
    share = found.importance.get(objective, {}).get(made.name)
    weight = "too few trials for its importance" if share is None else f"importance {share:.0%}"
    spots = []
    for trial in found.trials:
        kind, look, names = kind_of(found, trial)
        x = _setting(found, trial, made)
        title = f"{name} {x:.4g}; {told(found, trial)}" + (f", {names}" if names else "")
        spots.append(Spot(x, trial.values[metric], kind, title, look))
    best = _best(found, metric)
    scatter = Scatter(
        title=f"{name} and {objective}: {weight}",
        spoken=f"{len(spots)} trials; of the whole ones the best has {name} "
        f"{_setting(found, best, made):.4g}: {told(found, best)}.",
        x_label=_x_label(name, made, pool=bool(space.terms)),
        y_label=axis_label(objective),
        spots=in_order(spots),
        x_axis=Axis(0.0, 100.0) if space.terms else _axis(made),
    )
    return scatter_figure(scatter)


def _setting(found: Found, trial: Tried, knob: Knob) -> float:
    """The weight; of a pool, the per cent that the term has of all parts."""
    value = trial.params[knob.name]
    if not found.tuning.space.terms:
        return value
    whole = sum(trial.params.values())
    return 100 * value / whole if whole > 0 else 100 / len(trial.params)


def _best(found: Found, metric: int) -> Tried:
    """The front holds the best of each objective."""
    up = card_of(found.tuning.search.objective[metric]).direction == "higher"
    trials = [member.trial for member in found.front]
    return (max if up else min)(trials, key=lambda trial: trial.values[metric])


def _x_label(name: str, knob: Knob, *, pool: bool) -> str:
    if pool:
        return f"share of {name}, %"
    return f"{name} (logarithmic)" if knob.log else name


def _axis(knob: Knob) -> Axis:
    marks = log_marks(knob.low, knob.high) if knob.log else ()
    return Axis(knob.low, knob.high, log=knob.log, marks=marks)


def growth(found: Found) -> Figure:
    """Hypervolume against the steps that trials have spent; it rises when a trial ends."""
    objective = found.tuning.search.objective
    spent, area = 0, 0.0
    points = [(0.0, 0.0)]
    for trial, after in zip(found.trials, found.area, strict=True):
        spent += trial.steps
        points += [(float(spent), area)] if after != area else []
        points.append((float(spent), after))
        area = after
    unit = " × ".join(f"{metric} {card_of(metric).unit}".strip() for metric in objective)
    name = "hypervolume" if len(objective) > 1 else "lead"
    curve = Curve(name, tuple(points), tag=f"{area:.4g}")
    chart = Chart((curve,), "training steps spent by trials", f"{name}, {unit}")
    return chart_figure(name.capitalize(), chart)
