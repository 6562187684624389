"""Write down what happens: terms, scores, snapshots, and steps that suddenly take longer."""

import statistics
import time

import torch

from acutance.training.board import open_board
from acutance.training.display import Display
from acutance.training.record import Log, read_log
from acutance.training.setup import Job
from acutance.training.snapshots import save_snapshot
from acutance.training.step import Reading
from acutance.training.validation import PROTOCOL, validate, write_samples

SLOW = 1.5  # steps this much longer than the run's best pace are reported
ENOUGH = 5  # steps between two lines whose median is a pace


class Watch:
    """What the loop calls at every step; it reads from the device only where a line is due."""

    def __init__(self, job: Job, log: Log, display: Display) -> None:
        self._job, self._log, self._display = job, log, display
        self._reading: Reading | None = None
        self._began = self._last = time.perf_counter()
        self._times: list[float] = []
        self._levels: list[int] = []  # what each of the times is of
        self._best_s = float("inf")
        self._told_slow = False
        self._board = open_board(job.folder, job.recipe.log.tensorboard)
        self._scored = {e["step"]: e["psnr"] for e in read_log(job.folder) if e["event"] == "score"}

    def begin_step(self) -> None:
        """Start the step's clock."""
        self._began = time.perf_counter()

    def end_step(self, reading: Reading) -> None:
        """Stop it, and remember what the step told without reading it."""
        self._times.append(time.perf_counter() - self._began)
        self._levels.append(self._job.level_at(self._job.progress.step - 1))
        self._reading = reading
        self._display.phase("training", self._job.progress.step, self._job.plan.steps)

    def is_due(self) -> bool:
        """Whether anything is to be written after this step; always after the last one."""
        plan, step = self._job.plan, self._job.progress.step
        gaps = (plan.log_every, plan.score_every, plan.save_every)
        return step == plan.steps or any(step % gap == 0 for gap in gaps)

    def write_what_is_due(self) -> None:
        """Log, score and save, in this order; the state has been found finite."""
        now = time.perf_counter()
        self._job.progress.elapsed_s += now - self._last
        self._last = now
        plan, step = self._job.plan, self._job.progress.step
        if step % plan.log_every == 0 or step == plan.steps:
            self._write_terms()
        scores_now = step % plan.score_every == 0 and step != plan.steps  # the end scores anyway
        better = scores_now and self._score()
        if step % plan.save_every == 0 or better:
            save_snapshot(self._job.folder, self._job.state, best=better)

    def scores(self) -> tuple[list[int], list[float]]:
        """Steps and validation scores up to now, of earlier sittings too."""
        known = sorted((s, p) for s, p in self._scored.items() if s <= self._job.progress.step)
        return [s for s, _ in known], [p for _, p in known]

    def close(self) -> None:
        """Write what the board still holds."""
        self._board.close()

    def _write_terms(self) -> None:
        if self._reading is None:
            return
        job, reading, step = self._job, self._reading, self._job.progress.step
        table = torch.stack([reading.values, reading.norms, reading.weights.to(reading.values)])
        values, norms, weights = table.tolist()  # the one wait for the device
        pulls = [w * n for w, n in zip(weights, norms, strict=True)]
        terms = {
            name: {"value": v, "norm": n, "weight": w, "share": p / (sum(pulls) or 1.0)}
            for name, v, n, w, p in zip(
                job.work.guard.terms, values, norms, weights, pulls, strict=True
            )
        }
        for rival, paid in zip(job.work.rivals, reading.rivals.tolist(), strict=True):
            terms[str(rival.term)]["discriminator"] = paid
        table = _table(job.work.guard.terms, reading.cosines)
        total = sum(w * v for w, v in zip(weights, values, strict=True))
        rate = job.work.optimiser.param_groups[0]["lr"]
        self._log.write(
            "step",
            {
                "step": step,
                "loss": total,
                "rate": rate,
                "terms": terms,
                **({"cosines": table} if table else {}),
                "step_s": self._pace(),
            },
        )
        self._board.add_scalar("loss", total, step)
        self._board.add_scalar("rate", rate, step)
        for name, term in terms.items():
            self._board.add_scalar(f"terms/{name}", term["value"], step)
            if "discriminator" in term:
                self._board.add_scalar(f"discriminators/{name}", term["discriminator"], step)
            self._board.add_scalar(f"shares/{name}", term["share"], step)
            self._board.add_scalar(f"norms/{name}", term["norm"], step)
        for pair, cosine in table.items():
            self._board.add_scalar(f"cosines/{pair}", cosine, step)

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
        found = validate(
            job.to_scoring(), job.card({}), job.pictures.pairs, keep=job.recipe.log.samples
        )
        self._scored[step] = found.psnr
        self._log.write(
            "score", {"step": step, "protocol": PROTOCOL, "psnr": found.psnr, "ssim": found.ssim}
        )
        self._display.note(
            f"step {step:>7}  validation PSNR-Y {found.psnr:.3f} dB  "
            f"SSIM {found.ssim:.4f}  ({PROTOCOL})"
        )
        write_samples(job.folder, step, found.made)
        self._board.add_scalar("validation/psnr", found.psnr, step)
        better = found.psnr > job.progress.best_psnr
        if better:
            job.progress.best_psnr, job.progress.best_step = found.psnr, step
        return better


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
