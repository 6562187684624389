"""Score a method on test sets by a named protocol. It may be anything that makes pictures large."""

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acutance.errors import InputError
from acutance.evaluation.calibration import calibration
from acutance.evaluation.degraded import Degraded
from acutance.evaluation.judging import DEFAULT_METRICS, Metric, Pictures, judged, open_metrics
from acutance.evaluation.protocols import Protocol, find_protocol
from acutance.evaluation.sets import find_sets
from acutance.imaging.colour import luma, to_uint8
from acutance.imaging.depth import as_depth
from acutance.imaging.files import read_picture
from acutance.imaging.resample import crop_to_multiple, downscale, resize

_IN_FLIGHT = 4  # pictures read ahead, and results waiting to be judged: bounds the memory


@dataclass(frozen=True, eq=False)
class Enlarged:
    """What a subject made of a picture: uint8, and where it says how sure it is, how.

    `mean` and `sigma` are floats (H, W, 1 or 3) in 0..255, neither clipped nor rounded; one
    channel is luma (16..235), three are colour.
    """

    sr: np.ndarray
    mean: np.ndarray | None = None
    sigma: np.ndarray | None = None


@dataclass(frozen=True)
class Subject:
    """What is scored: a name and how it enlarges.

    `rgb` takes and gives uint8 (H, W, 3). `luma`, for protocols that enlarge luma alone, takes and
    gives float64 (H, W) in 0..255, or is None. Both are called from one thread only.
    """

    name: str
    rgb: Callable[[np.ndarray], np.ndarray]
    luma: Callable[[np.ndarray], np.ndarray] | None = None
    sure: Callable[[np.ndarray], Enlarged] | None = None  # `rgb` with its error bars


@dataclass(frozen=True)
class Score:
    """One metric of one picture. Without its protocol the value means nothing."""

    set: str
    picture: str
    metric: str
    value: float
    protocol: str


@dataclass(frozen=True)
class Scores:
    """All scores of one model at one scale by one protocol."""

    model: str
    scale: int
    protocol: str
    rows: tuple[Score, ...]
    degradation: str = ""  # what made lr; empty: MATLAB's bicubic
    degradation_seed: int = 0

    def sets(self) -> tuple[str, ...]:
        """Names of the sets, in the order they were scored."""
        return tuple(dict.fromkeys(row.set for row in self.rows))

    def mean(self, set: str, metric: str) -> float:
        """The set's score: the mean over its pictures."""
        values = [row.value for row in self.rows if (row.set, row.metric) == (set, metric)]
        if not values:
            raise InputError(f"There is no {metric} of the set '{set}' among these scores.")
        return math.fsum(values) / len(values)

    def to_json(self) -> dict[str, object]:
        """`{"model", "scale", "protocol", "sets": {set: {metric: mean, "images": {...}}}}`.

        `images` has each picture's value of each metric; where lr was not made by bicubic there are
        "degradation" and "degradation_seed". JSON has no infinity: the PSNR of a
        picture equal to its original is null, and so is the mean of a set that holds one.
        """
        sets: dict[str, dict[str, object]] = {}
        for name in self.sets():
            images: dict[str, dict[str, float | None]] = {}
            for row in self.rows:
                if row.set == name:
                    images.setdefault(row.picture, {})[row.metric] = _to_json_number(row.value)
            metrics = dict.fromkeys(row.metric for row in self.rows if row.set == name)
            means = {metric: _to_json_number(self.mean(name, metric)) for metric in metrics}
            sets[name] = {**means, "images": images}
        made_by = {"degradation": self.degradation, "degradation_seed": self.degradation_seed}
        return {
            "model": self.model,
            "scale": self.scale,
            "protocol": self.protocol,
            **(made_by if self.degradation else {}),  # silent, as in older files
            "sets": sets,
        }

    @classmethod
    def from_json(cls, content: object) -> "Scores":
        """Read what `to_json` made. The means are those of the rows, not the ones written."""
        try:
            match content:
                case {
                    "model": str(model),
                    "scale": int(scale),
                    "protocol": str(protocol),
                    "sets": dict(sets),
                    **more,
                }:
                    rows = tuple(
                        Score(set_name, picture, metric, _from_json_number(value), protocol)
                        for set_name, scored in sets.items()
                        for picture, values in scored["images"].items()
                        for metric, value in values.items()
                    )
                    made_by = more.get("degradation", ""), more.get("degradation_seed", 0)
                    if isinstance(made_by[0], str) and isinstance(made_by[1], int):
                        return cls(model, scale, protocol, rows, *made_by)
        except (KeyError, TypeError, AttributeError, ValueError):
            pass  # the same answer as for any other content that is not ours
        raise InputError(
            "This is not a file of scores: model, scale, protocol and sets are expected. "
            "Make one with: acutance evaluate --json FILE"
        )


@dataclass(frozen=True)
class _Job:
    """One original and how it is to be scored."""

    set: str
    path: Path
    scale: int
    rule: Protocol
    metrics: tuple[Metric, ...]
    degraded: Degraded | None = None


@dataclass(frozen=True, eq=False)
class _Task:
    """A job with its original as the protocol compares it, and the small picture made of it."""

    job: _Job
    hr: np.ndarray
    lr: np.ndarray


def bicubic_subject(scale: int) -> Subject:
    """MATLAB's bicubic: the baseline of every table. At scale 1 it gives its input back."""

    def enlarge(lr: np.ndarray) -> np.ndarray:
        return resize(lr, scale=scale)

    return Subject("bicubic", enlarge, enlarge)


def evaluate(
    subject: Subject,
    folders: Sequence[Path],
    *,
    scale: int,
    protocol: str = "y@1",
    metrics: Sequence[str] = DEFAULT_METRICS,
    degraded: Degraded | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Scores:
    """Score `subject` on the test sets in `folders` by `metrics`, names of acutance.metrics.

    lr is made by `degraded`, else by MATLAB's bicubic. `progress` is told how many pictures are
    done, and of how many. Pictures are read and judged in two other threads meanwhile.
    """
    rule = find_protocol(protocol)
    if rule.enlarges_luma and subject.luma is None:
        raise InputError(
            f"{protocol} enlarges luma alone, which {subject.name} cannot. Use --protocol y@1."
        )
    if scale < 1:
        raise InputError(f"The scale must be 1 or more, not {scale}.")
    jobs = _jobs(folders, scale, rule, metrics, degraded)
    rows: list[Score] = []
    done = 0
    with ThreadPoolExecutor(2) as pool:
        judged: deque[Future[list[Score]]] = deque()

        def collect(most_left: int) -> None:
            nonlocal done
            while len(judged) > most_left:
                rows.extend(judged.popleft().result())
                done += 1
                if progress is not None:
                    progress(done, len(jobs))

        for task in _prepare_ahead(pool, jobs):
            judged.append(pool.submit(_judge, task, _enlarge(subject, task)))
            collect(_IN_FLIGHT)
        collect(0)
    made_by = (degraded.text, degraded.seed) if degraded is not None else ("", 0)
    return Scores(subject.name, scale, protocol, tuple(rows), *made_by)


def check_sets(
    folders: Sequence[Path],
    *,
    scale: int,
    protocol: str,
    metrics: Sequence[str],
    degraded: Degraded | None = None,
) -> None:
    """Raise InputError for whatever `evaluate` would refuse in the sets and the metrics.

    Every picture is read, so that what takes hours of training is not found unfit afterwards.
    """
    jobs = _jobs(folders, scale, find_protocol(protocol), metrics, degraded)
    with ThreadPoolExecutor(2) as pool:
        for _ in _prepare_ahead(pool, jobs):
            pass


def check_comparable(a: Scores, b: Scores) -> None:
    """Refuse to compare scores that do not mean the same."""
    if a.protocol != b.protocol:
        raise InputError(
            f"{a.model} was scored by {a.protocol} and {b.model} by {b.protocol}: these are "
            "different measures. Score both by one protocol."
        )
    if a.scale != b.scale:
        raise InputError(
            f"{a.model} was scored at x{a.scale} and {b.model} at x{b.scale}. "
            "Compare scores of one scale."
        )
    if _made_by(a) != _made_by(b):
        raise InputError(
            f"{a.model} was scored on pictures made by {_made_by(a)}, and {b.model} on those by "
            f"{_made_by(b)}. Score both with the same --degrade and --degrade-seed."
        )


def _made_by(scores: Scores) -> str:
    if not scores.degradation:
        return "bicubic"
    return f"{scores.degradation} with the seed {scores.degradation_seed}"


def _jobs(
    folders: Sequence[Path],
    scale: int,
    rule: Protocol,
    metrics: Sequence[str],
    degraded: Degraded | None,
) -> list[_Job]:
    """Every picture of every set, once the metrics are at hand and mean something."""
    opened = open_metrics(metrics, rule)
    for metric in opened:
        if metric.card.beside == "lr" and degraded is not None:
            raise InputError(
                f"{metric.name} makes the result small by bicubic, and here lr is made by "
                f"{degraded.text}. Leave this metric out."
            )
    return [
        _Job(found.name, path, scale, rule, opened, degraded)
        for found in find_sets(folders)
        for path in found.pictures
    ]


def _prepare_ahead(pool: ThreadPoolExecutor, jobs: Sequence[_Job]) -> Iterator[_Task]:
    waiting: deque[Future[_Task]] = deque()
    for job in jobs:
        waiting.append(pool.submit(_prepare, job))
        if len(waiting) > _IN_FLIGHT:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _prepare(job: _Job) -> _Task:
    # the protocols are for 8 bits: a deeper picture is rounded to them
    levels = as_depth(read_picture(job.path).pixels, np.dtype(np.uint8))
    pixels = crop_to_multiple(levels, job.scale)
    seen = max(metric.card.least_side_px for metric in job.metrics)
    smallest = 2 * job.rule.border * job.scale + seen
    if min(pixels.shape[:2]) < smallest:
        raise InputError(
            f"{job.path} is too small to be scored at x{job.scale}: of its "
            f"{pixels.shape[1]}x{pixels.shape[0]} pixels too few are left without the border. "
            f"{smallest}x{smallest} are needed. Remove it from the set."
        )
    hr = _original(pixels, job.rule)
    return _Task(job, hr, _small(hr, job))


def _original(pixels: np.ndarray, rule: Protocol) -> np.ndarray:
    """hr as it is compared: RGB (H, W, 3), or luma (H, W), which a grey picture is itself."""
    is_grey = pixels.shape[2] == 1
    if rule.enlarges_luma:
        return pixels[:, :, 0] if is_grey else to_uint8(luma(pixels))
    return np.repeat(pixels, 3, axis=2) if is_grey else pixels


def _small(hr: np.ndarray, job: _Job) -> np.ndarray:
    """lr as the subject is given it: uint8 (h, w, 3), or luma as float64 (h, w)."""
    if job.degraded is None:
        whole = hr.astype(np.float64) if job.rule.resampling == "luma float" else hr
        lr = downscale(whole, job.scale)
        return lr.astype(np.float64) if job.rule.enlarges_luma else lr
    shown = hr[:, :, None] if job.rule.enlarges_luma else hr
    lr = job.degraded.of(shown, job.path.stem, scale=job.scale)
    if job.rule.enlarges_luma:
        return lr[:, :, 0].astype(np.float64)
    if lr.dtype != np.uint8:
        raise InputError(
            f"{job.rule.name} shows pictures of 8 bits, and '{job.degraded.text}' does not round "
            "what it makes. Leave 'unrounded' out, or use --protocol grey@1."
        )
    return lr


def _enlarge(subject: Subject, task: _Task) -> Enlarged:
    if task.job.rule.enlarges_luma and subject.luma is not None:
        made = Enlarged(to_uint8(subject.luma(task.lr)))
    elif subject.sure is not None:
        made = subject.sure(task.lr)
    else:
        made = Enlarged(subject.rgb(task.lr))
    sr = made.sr
    if sr.shape != task.hr.shape or sr.dtype != np.uint8:
        raise InputError(
            f"{task.job.path}: at x{task.job.scale} {subject.name} must give uint8 "
            f"{task.hr.shape}, but it gave {sr.dtype} {sr.shape}. Is it made for this scale?"
        )
    return made


def _judge(task: _Task, made: Enlarged) -> list[Score]:
    job = task.job
    pictures = Pictures(made.sr, task.hr, task.lr, job.rule, job.scale)
    try:
        values = judged(job.metrics, pictures)
    except InputError as error:  # of a metric, which knows no files
        raise InputError(f"{job.path}: {error}") from error
    if made.mean is not None and made.sigma is not None:
        hr = task.hr if made.mean.shape[2] == 3 else luma(task.hr)[:, :, None]
        border = job.rule.border * job.scale
        values |= calibration(made.mean, made.sigma, hr, border=border)
    return [
        Score(job.set, job.path.stem, metric, value, job.rule.name)
        for metric, value in values.items()
    ]


def score_picture(
    sr: np.ndarray, hr: np.ndarray, *, scale: int, protocol: str = "y@1"
) -> dict[str, float]:
    """PSNR and SSIM of one result in hand, uint8 (H, W, 3), for protocols that enlarge colours."""
    rule = find_protocol(protocol)
    if rule.enlarges_luma:
        raise InputError(f"{protocol} enlarges luma alone, not pictures. Use y@1 or rgb@1.")
    nothing = np.empty((0, 0, 3), np.uint8)  # neither metric looks at the small picture
    return judged(open_metrics(DEFAULT_METRICS, rule), Pictures(sr, hr, nothing, rule, scale))


def _to_json_number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _from_json_number(value: float | None) -> float:
    return math.inf if value is None else float(value)
