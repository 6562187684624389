"""The main job in miniature: three losses, one network, one machine, a few minutes."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from acutance.errors import MissingPackageError
from acutance.evaluation.scoring import Scores, score_picture
from acutance.imaging.files import read_rgb, write_picture
from acutance.imaging.picture import Picture
from acutance.imaging.resample import crop_to_multiple, downscale, resize
from acutance.study.charts import Curve
from acutance.study.crops import Shown, Strip, cut_strip
from acutance.study.report import Page, Table, write_report
from acutance.study.score import evaluate
from acutance.training.recipe import Recipe, make_recipe
from acutance.training.record import Plan, read_log, read_plan
from acutance.training.start import carry_out, require_training
from acutance.upscaling.picture import upscale

LOSSES = {"l1": "l1", "mse": "mse", "l1-ssim": "80% l1 + 20% ssim"}
SCALE, NETWORK, DRAWN, SEED = 2, "compact:nano", 60, 0
TRAIN = (
    "brick.png",
    "camera.png",
    "coins.png",
    "grass.png",
    "gravel.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "moon.png",
    "motorcycle_left.png",
    "page.png",
    "retina.jpg",
    "rocket.jpg",
    "text.png",
)
TEST = {"astronaut.png": (340, 125), "chelsea.png": (70, 150), "coffee.png": (235, 320)}
MINUTES = 1.0  # of each training


@dataclass(frozen=True)
class Result:
    """What one row of the table is made of."""

    name: str
    loss: str
    model: str
    scores: Scores
    curve: Curve | None


@dataclass(frozen=True)
class Tour:
    """What the quickstart left."""

    report: Path
    picture: Path
    results: tuple[Result, ...]
    best: Result


def sample_folder() -> Path:
    """Where scikit-image keeps its photographs; found without importing it."""
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        raise MissingPackageError("scikit-image", "samples", "The quickstart")
    return Path(spec.origin).parent / "data"


def tour(folder: Path, *, quiet: bool = False) -> Tour:
    """Train under each of LOSSES, score, enlarge a photograph with the best, write a report."""
    require_training()
    began = time.monotonic()
    samples = sample_folder()
    tests = _test_folder(folder, samples)
    results = [_bicubic(tests)]
    plan: Plan | None = None
    for name, loss in LOSSES.items():
        run = folder / "runs" / name
        recipe = recipe_of(samples, loss, _stop(plan))
        carry_out(recipe, run, quiet=quiet)
        plan = plan or read_plan(run, recipe)
        results.append(_result(name, loss, run, tests))
    best = max(results[1:], key=lambda r: r.scores.mean("photographs", "psnr"))
    picture = _enlarge(folder, samples / "chelsea.png", best)
    report = folder / "report.html"
    write_report(report, _page(results, best, tests, plan, time.monotonic() - began))
    return Tour(report, picture, tuple(results), best)


def recipe_of(samples: Path, loss: str, stop: Mapping[str, object]) -> Recipe:
    """The run that is the same for every loss; `stop` are the settings that say how long it is."""
    settings: dict[str, object] = {
        "seed": SEED,
        "data.photos": [*(str(samples / name) for name in TRAIN), f"procedural:{DRAWN}"],
        "data.val": [str(samples / name) for name in TEST],
        "network.name": NETWORK,
        "network.scale": SCALE,
        "loss.expression": loss,
        "log.samples": 0,
        **stop,
    }
    recipe, _ = make_recipe([("quickstart", settings)])
    return recipe


def _stop(plan: Plan | None) -> dict[str, object]:
    """The first run's plan fixes for the others what was timed."""
    if plan is None:
        return {"stop.minutes": MINUTES}
    return {
        "stop.steps": plan.steps,
        "machine.threads": plan.threads,
        "machine.precision": plan.precision,
    }


def _test_folder(folder: Path, samples: Path) -> Path:
    """The held-out photographs as a set of their own."""
    target = folder / "photographs"
    for name in TEST:
        copy = (target / name).with_suffix(".png")
        write_picture(copy, Picture(read_rgb(samples / name), None), overwrite=True)
    return target


def _bicubic(tests: Path) -> Result:
    scores = evaluate("bicubic", tests, scale=SCALE)
    return Result("bicubic", "none", "bicubic", scores, None)


def _result(name: str, loss: str, run: Path, tests: Path) -> Result:
    points = {e["step"]: e["psnr"] for e in read_log(run) if e["event"] in {"score", "end"}}
    line = tuple(sorted((float(s), p) for s, p in points.items()))
    curve = Curve(loss, line, tag=name, look=list(LOSSES).index(name))
    return Result(name, loss, str(run), evaluate(run, tests), curve)


def _enlarge(folder: Path, source: Path, best: Result) -> Path:
    target = folder / f"chelsea_x{SCALE}.png"
    enlarged = upscale(read_rgb(source), model=best.model)
    write_picture(target, Picture(np.asarray(enlarged), None), overwrite=True)
    return target


def _page(
    results: Sequence[Result], best: Result, tests: Path, plan: Plan | None, elapsed_s: float
) -> Page:
    steps = f"{plan.steps:,} steps" if plan else "the same steps"
    names = [Path(name).stem for name in TEST]
    head = ("", "loss", *(f"{n}, dB" for n in names), "mean PSNR-Y, dB", "mean SSIM")
    return Page(
        title="acutance quickstart: one small network, three losses",
        lead=(
            f"The network {NETWORK} learned to enlarge pictures {SCALE} times, three times over: "
            f"same first weights, same batches, {steps}; only the loss differs. It never saw the "
            "three photographs below."
        ),
        table=Table(head, tuple(_row(r, names) for r in results), (results.index(best),), (0, 1)),
        caption="Protocol y@1: PSNR and SSIM of luma, border of 2 pixels left out, 8 bit.",
        curves=tuple(r.curve for r in results if r.curve is not None),
        strips=tuple(_strip(tests, name, corner, results) for name, corner in TEST.items()),
        remarks=_remarks(),
        facts=_facts(plan, elapsed_s),
    )


def _row(result: Result, names: Sequence[str]) -> tuple[str, ...]:
    by_name = {r.picture: r.value for r in result.scores.rows if r.metric == "psnr"}
    mean = [result.scores.mean("photographs", metric) for metric in ("psnr", "ssim")]
    cells = [f"{by_name[name]:.2f}" for name in names]
    return (result.name, result.loss, *cells, f"{mean[0]:.2f}", f"{mean[1]:.4f}")


def _strip(tests: Path, name: str, corner: tuple[int, int], results: Sequence[Result]) -> Strip:
    """The same piece of one photograph: small, by each result, and as it is."""
    hr = crop_to_multiple(read_rgb((tests / name).with_suffix(".png")), SCALE)
    lr = downscale(hr, SCALE)
    shown = []
    for result in results:
        sr = (
            resize(lr, scale=SCALE) if result.name == "bicubic" else upscale(lr, model=result.model)
        )
        psnr = score_picture(np.asarray(sr), hr, protocol="y@1", scale=SCALE)["psnr"]
        shown.append(Shown(result.name, f"{psnr:.2f} dB", np.asarray(sr)))
    return cut_strip(Path(name).stem, lr, shown, hr, corner)


def _remarks() -> tuple[str, ...]:
    return (
        "They tell that the whole way works on this machine, and roughly what a minute of "
        "training gives over bicubic.",
        "They do not rank the losses. There is one seed, and seeds alone move a small network by "
        "up to about 0.15 dB; a difference below that is noise here.",
        "Three photographs are no benchmark, and the validation curve is drawn from the same "
        "three: nothing was chosen by it but the picture that was enlarged.",
        "PSNR and SSIM reward closeness to the original, pixel by pixel. They say little about "
        "how sharp or natural a result looks: look at the crops.",
    )


def _facts(plan: Plan | None, elapsed_s: float) -> tuple[tuple[str, str], ...]:
    if plan is None:
        return ()
    return (
        ("training pictures", f"{len(TRAIN)} photographs of scikit-image, {DRAWN} drawn ones"),
        ("network", f"{NETWORK}, x{SCALE}, seed {SEED}"),
        (
            "steps",
            f"{plan.steps:,} of {plan.step_s * 1000:.1f} ms, batch 16, {plan.patch} px crops",
        ),
        ("computed with", f"{plan.threads} threads, {plan.precision}"),
        ("fingerprint of the pictures", plan.fingerprint),
        ("the whole took", f"{elapsed_s:.0f} s"),
        ("again", "acutance quickstart"),
    )
