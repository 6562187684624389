"""Write down what happens: terms, scores, snapshots, and steps that suddenly take longer."""

import statistics
import time
from collections.abc import Mapping
from math import isinf
from typing import Any

import torch

from acutance.training.board import open_board
from acutance.training.collapse import Alarm, Alarms, Sight, as_logged, as_sight
from acutance.training.convergence import Scored
from acutance.training.display import Display
from acutance.training.perceptual import as_scored, counts_from
from acutance.training.record import Log, read_log
from acutance.training.setup import Job
from acutance.training.snapshots import Progress
from acutance.training.step import Reading
from acutance.training.validation import validate, write_samples

SLOW = 1.5  # steps this much longer than the run's best pace are reported
MUCH_WAITING, LONG_WAIT_S = 0.2, 10.0  # of a sitting, and seconds: from there it is worth a word
ENOUGH = 5  # steps between two lines whose median is a pace


class Watch:
    """What the loop calls at every step; it reads from the device only where a line is due."""

    def __init__(self, job: Job, log: Log, display: Display) -> None:
        self._job, self._log, self._display = job, log, display
        self._reading: Reading | None = None
        self._began = self._last = self._sat_down = time.perf_counter()
        self._times: list[float] = []
        self._levels: list[int] = []  # what each of the times is of
        self._best_s = float("inf")
        self._told_slow = False
        self._board = open_board(job.folder, job.recipe.log.tensorboard)
        self._alarms = Alarms()
        self._scored: dict[int, Scored] = {}
        self._remember(read_log(job.folder))

    def begin_step(self) -> None:
        """Start the step's clock."""
        self._began = time.perf_counter()

    def end_step(self, reading: Reading) -> None:
        """Stop it, and remember what the step told without reading it."""
        self._times.append(time.perf_counter() - self._began)
        self._levels.append(self._job.level_at(self._job.progress.step - 1))
        self._reading = reading
        self._display.phase("training", self._job.progress.step, self._job.plan.steps)

    def write_what_is_due(self) -> None:
        """Log, score and save, in this order; the state has been found finite."""
        now = time.perf_counter()
        self._job.progress.elapsed_s += now - self._last
        self._last = now
        plan, step = self._job.plan, self._job.progress.step
        if step % plan.log_every == 0 or step == plan.steps:
            self._write_terms()
        better = scores_now(self._job) and self._score()
        if step % plan.save_every == 0 or better:
            self._job.save(best=better)

    def scores(self) -> list[Scored]:
        """Validation scores up to now in the order of steps, of earlier sittings too."""
        known = sorted(self._scored.items())
        return [scored for step, scored in known if step <= self._job.progress.step]

    def write_waiting(self, waited_s: float) -> None:
        """Log the share of this sitting for which no batch was ready; say it where it is much."""
        share = waited_s / max(time.perf_counter() - self._sat_down, 1e-9)
        self._log.write("waited", {"step": self._job.progress.step, "share": round(share, 4)})
        if share > MUCH_WAITING and waited_s > LONG_WAIT_S:
            degrades = bool(self._job.recipe.data.degrade)
            stages = "fewer or quicker stages in data.degrade, or more processor cores"
            others = "data.prefetch, a faster disk or more memory"
            self._display.note(
                f"steps waited {share:.0%} of the time for their pictures: "
                f"{stages if degrades else others} would help"
            )

    def close(self) -> None:
        """Write what the board still holds."""
        self._board.close()

    def _write_terms(self) -> None:
        if self._reading is None:
            return
        job, reading, step = self._job, self._reading, self._job.progress.step
        terms = self._terms(reading)
        table = _table(job.work.guard.terms, reading.cosines)
        sights = self._sights(reading)
        total = sum(term["weight"] * term["value"] for term in terms.values())
        rate = job.work.optimiser.param_groups[0]["lr"]
        self._log.write(
            "step",
            {
                "step": step,
                "loss": total,
                "rate": rate,
                "terms": terms,
                **({"cosines": table} if table else {}),
                **({"rivals": {n: as_logged(s) for n, s in sights.items()}} if sights else {}),
                "step_s": self._pace(),
            },
        )
        curves = {"loss": total, "rate": rate, **_curves(terms, sights)}
        curves |= {f"cosines/{pair}": cosine for pair, cosine in table.items()}
        for tag, value in curves.items():
            self._board.add_scalar(tag, value, step)
        for name, sight in sights.items():
            for alarm in self._judge(name, sight, step):
                told = {"cause": alarm.cause, "value": alarm.value, "limit": alarm.limit}
                self._log.write("alarm", {"step": step, "term": name, **told})
                self._display.note(f"step {step:>7}  alarm of {name}: {alarm.text}")

    def _terms(self, reading: Reading) -> dict[str, dict[str, float]]:
        """What each term told, by its name."""
        work = self._job.work
        table = torch.stack([reading.values, reading.norms, reading.weights.to(reading.values)])
        values, norms, weights = table.tolist()  # the one wait for the device
        pulls = [w * n for w, n in zip(weights, norms, strict=True)]
        terms = {
            name: {"value": v, "norm": n, "weight": w, "share": p / (sum(pulls) or 1.0)}
            for name, v, n, w, p in zip(
                work.guard.terms, values, norms, weights, pulls, strict=True
            )
        }
        for rival, paid in zip(work.rivals, reading.rivals.tolist(), strict=True):
            terms[str(rival.term)]["discriminator"] = paid
        return terms

    def _sights(self, reading: Reading) -> dict[str, Sight]:
        """What each rival's results look like, by the name of its term."""
        if reading.sights is None:
            return {}
        rivals, rows = self._job.work.rivals, reading.sights.tolist()
        logits = [None if r.loss.judged is None else r.loss.judged.tolist() for r in rivals]
        return {
            str(rival.term): as_sight(row, known)
            for rival, row, known in zip(rivals, rows, logits, strict=True)
        }

    def _judge(self, name: str, sight: Sight, step: int) -> list[Alarm]:
        """What is wrong since this line; nothing is before the term has had its time."""
        for rival in self._job.work.rivals:
            if str(rival.term) == name and rival.is_warm(step, self._job.plan.steps):
                return self._alarms.look(name, sight, sure=rival.loss.sure)
        return []

    def _remember(self, events: list[dict[str, Any]]) -> None:
        """Take up what earlier sittings wrote: scores, and the lines that alarms go by."""
        metric = self._job.plan.perceptual
        lines: dict[int, dict[str, dict[str, float]]] = {}
        for event in events:
            if event["event"] == "score":
                scored = as_scored(event["step"], event["psnr"], metric, event.get(metric))
                self._scored[event["step"]] = scored
            elif event["event"] == "step" and event["step"] <= self._job.progress.step:
                lines[event["step"]] = event.get("rivals", {})
        for step, sights in sorted(lines.items()):
            for name, values in sights.items():
                self._judge(name, Sight(**values), step)

    def _pace(self) -> float:
        """Median seconds of the steps since the last line; says so when they have become slow."""
        pace, lowest = statistics.median(self._times), self._job.turns.scales[0]
        # of one level alone: the steps of higher ones take longer
        alike = [t for t, level in zip(self._times, self._levels, strict=True) if level == lowest]
        self._times, self._levels = [], []
        usual = statistics.median(alike) if len(alike) >= ENOUGH else 0.0
        if usual:
            self._best_s = min(self._best_s, usual)
        slow = usual > SLOW * self._best_s
        if slow and not self._told_slow:
            ratio = usual / self._best_s
            self._log.write("slow", {"step": self._job.progress.step, "ratio": round(ratio, 2)})
            self._display.note(
                f"steps take {ratio:.1f} times as long as before: another load on the machine?"
            )
        self._told_slow = slow
        return round(pace, 5)

    def _score(self) -> bool:
        """Score the network; whether it is the best so far."""
        job, step = self._job, self._job.progress.step
        metric = job.plan.perceptual
        found = validate(
            job.to_scoring(),
            job.card({}),
            job.pictures.pairs,
            keep=job.recipe.log.samples,
            metric=job.metric,
        )
        scored = as_scored(step, found.psnr, metric, found.perceptual)
        self._scored[step] = scored
        perceived = {metric: found.perceptual} if metric else {}
        near = {} if found.small_psnr is None else {"small_psnr": found.small_psnr}
        values = {"psnr": found.psnr, "ssim": found.ssim, **near, **perceived}
        self._log.write("score", {"step": step, "protocol": found.protocol, **values})
        self._display.note(
            f"step {step:>7}  validation PSNR-Y {found.psnr:.3f} dB  "
            f"SSIM {found.ssim:.4f}  {found.reduced()}{found.perceived(metric)}({found.protocol})"
        )
        write_samples(job.folder, step, found.made)
        for name, value in values.items():
            if value is not None and name != "ssim":
                self._board.add_scalar(f"validation/{name}", value, step)
        return is_best(job.progress, scored, since=counts_from(job.recipe, job.plan.steps))


class Bystander:
    """What stands in for it in a process that does not lead; nothing is written here."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def begin_step(self) -> None:
        """Nothing."""

    def end_step(self, reading: Reading) -> None:
        """Nothing."""

    def write_what_is_due(self) -> None:
        """Take the weights there and back that are scored elsewhere, which may round them."""
        if scores_now(self._job):
            self._job.to_scoring()

    def scores(self) -> list[Scored]:
        """None: who leads decides by them."""
        return []

    def write_waiting(self, waited_s: float) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


def is_due(job: Job) -> bool:
    """Whether anything is to be written after this step; always after the last one."""
    plan, step = job.plan, job.progress.step
    gaps = (plan.log_every, plan.score_every, plan.save_every)
    return step == plan.steps or any(step % gap == 0 for gap in gaps)


def scores_now(job: Job) -> bool:
    """Whether this step is scored; the last one is by the end of the run."""
    return job.progress.step % job.plan.score_every == 0 and job.progress.step != job.plan.steps


def is_best(progress: Progress, scored: Scored, *, since: int) -> bool:
    """Whether this is the best so far, by perception from the step `since` on; notes what is.

    By PSNR where perception was never scored; so the best of a run that drifts has all its terms.
    """
    seen = scored.perceptual if scored.step >= since else None
    if seen is not None:
        better = seen > progress.best_perceptual
    else:
        better = scored.psnr > progress.best_psnr and isinf(progress.best_perceptual)
    if scored.psnr > progress.best_psnr:
        progress.best_psnr = scored.psnr
    if seen is not None:
        progress.best_perceptual = max(seen, progress.best_perceptual)
    if better:
        progress.best_step = scored.step
    return better


def _curves(
    terms: Mapping[str, Mapping[str, float]], sights: Mapping[str, Sight]
) -> dict[str, float]:
    """The board's curves of terms and rivals, by tag."""
    curves: dict[str, float] = {}
    for name, term in terms.items():
        curves[f"terms/{name}"] = term["value"]
        if "discriminator" in term:
            curves[f"discriminators/{name}"] = term["discriminator"]
        curves[f"shares/{name}"] = term["share"]
        curves[f"norms/{name}"] = term["norm"]
    for name, sight in sights.items():
        told = as_logged(sight).items()
        curves |= {f"rivals/{name}/{what}": value for what, value in told if value is not None}
    return curves


def _table(terms: tuple[str, ...], cosines: torch.Tensor | None) -> dict[str, float]:
    """The cosine between the gradients of each two terms, as "a, b"; none for a single term."""
    if cosines is None:
        return {}
    rows = cosines.tolist()
    return {
        f"{terms[i]}, {terms[j]}": round(rows[i][j], 4)
        for i in range(len(terms))
        for j in range(i + 1, len(terms))
    }
