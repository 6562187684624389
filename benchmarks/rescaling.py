"""A learned F beside bicubic: what the pair gains, and whether it pays where bytes count.

    python benchmarks/rescaling.py [train|score|rate|draw] [--minutes 15] [--seed 0]

Needs ACUTANCE_DATA with T91, BSDS200, Set5, Set14 and B100. Without a step it takes all four; what
is finished in --work is not repeated.

train   two runs of the recipe rescale for the same minutes on one thread each: its network alone
        with lr by bicubic, and with an F that learns
score   PSNR and SSIM of both by y@1, each from its own small pictures; PSNR of luma of those of F
        against those of bicubic
rate    the pictures of --rate-sets in three ways at several qualities of JPEG and WebP, and
        lossless: coded as they are; small by bicubic, coded, enlarged; small by F, coded, enlarged.
        Bits count per pixel of the original. Means over the pictures of a set, at each quality;
        at equal bits by interpolation in the logarithm of the bits
draw    docs/images/rescaling.svg from the numbers

Writes results/rescaling.json, of which docs/generate.py makes the tables.
"""

import argparse
import json
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from acutance.evaluation.sets import find_sets
from acutance.imaging.files import read_rgb
from acutance.imaging.resample import crop_to_multiple, downscale
from acutance.metrics.psnr import psnr_luma_uint8
from acutance.storage import write_atomically
from acutance.study.score import evaluate
from facts import stamp
from finetunes_scores import DATA
from rescaling_drawing import chart
from rescaling_rates import Way, answers, rates

RESULTS = Path(__file__).parent / "results" / "rescaling.json"
IMAGE = Path(__file__).parents[1] / "docs" / "images" / "rescaling.svg"
PROTOCOL, SCALE = "y@1", 2
SETS = ("Set5", "Set14", "B100")
RATE_SETS = ("Set5",)
ARMS = {
    "bicubic": ["--loss", "l1", "--set", "network.shrink="],
    "learned": [],
}


@dataclass(frozen=True)
class Asked:
    """What the command line says."""

    minutes: float
    seed: int
    rate_sets: tuple[str, ...]
    work: Path
    results: Path
    image: Path
    command: str

    def run_of(self, arm: str) -> Path:
        """The folder of an arm: one for each length and seed."""
        return self.work / f"{arm}-{self.minutes:g}min-seed{self.seed}"


def main() -> None:
    steps = {"train": train, "score": score, "rate": rate, "draw": draw}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", nargs="?", choices=list(steps), help="one step only")
    parser.add_argument("--minutes", type=float, default=15, help="of each arm")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate-sets", nargs="+", default=list(RATE_SETS))
    parser.add_argument("--work", type=Path, default=Path("runs/rescaling"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--image", type=Path, default=IMAGE)
    found = parser.parse_args()
    asked = Asked(
        minutes=found.minutes,
        seed=found.seed,
        rate_sets=tuple(found.rate_sets),
        work=found.work.resolve(),
        results=found.results,
        image=found.image,
        command=command_of(found, parser),
    )
    for name in [found.step] if found.step else steps:
        steps[name](asked)


def command_of(found: argparse.Namespace, parser: argparse.ArgumentParser) -> str:
    """The command as others would give it, without the folders of this machine."""
    words = ["python", "benchmarks/rescaling.py"]
    for name in ("minutes", "seed", "rate_sets"):
        value = getattr(found, name)
        if value != parser.get_default(name):
            values = value if isinstance(value, list) else [value]
            words += [f"--{name.replace('_', '-')}", *(str(v) for v in values)]
    return shlex.join(words)


def train(asked: Asked) -> None:
    """Both arms, one after the other; a run that was stopped goes on."""
    for arm in ARMS:
        if (asked.run_of(arm) / "scores.json").exists():
            continue
        words = [str(DATA / word) if (DATA / word).is_dir() else word for word in told(asked, arm)]
        print(f"{arm}: {shlex.join(told(asked, arm))}", flush=True)
        command = [sys.executable, "-m", *words, "--run", str(asked.run_of(arm)), "--quiet"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def told(asked: Asked, arm: str) -> list[str]:
    """The command of an arm."""
    words = ["acutance", "train", "T91", "BSDS200", "--recipe", "rescale", *ARMS[arm]]
    words += ["--minutes", f"{asked.minutes:g}", "--seed", str(asked.seed), "--threads", "1"]
    return [*words, "--precision", "fp32"]


def score(asked: Asked) -> None:
    """What both make of their own small pictures."""
    rows = []
    for name in SETS:
        row: dict[str, object] = {"set": name}
        for arm in ARMS:
            run = asked.run_of(arm)
            shrink = run if arm == "learned" else ""
            found = evaluate(run, DATA / name, protocol=PROTOCOL, shrink=shrink)
            row[arm] = {metric: found.mean(name, metric) for metric in ("psnr", "ssim")}
        reduce = reduction_of(asked.run_of("learned"))
        pictures = pictures_of(name)
        row["pictures"] = len(pictures)
        row["small_psnr"] = float(
            np.mean([psnr_luma_uint8(reduce(hr), downscale(hr, SCALE)) for hr in pictures])
        )
        rows.append(row)
        print(json.dumps(row), flush=True)
    found = {
        "command": asked.command,
        **stamp(),
        "protocol": PROTOCOL,
        "scale": SCALE,
        "minutes": asked.minutes,
        "arms": [described(asked, arm) for arm in ARMS],
        "rows": rows,
    }
    kept = _kept(asked)
    write(asked, {**found, **{key: kept[key] for key in ("rates", "answers") if key in kept}})


def described(asked: Asked, arm: str) -> dict[str, object]:
    """An arm as its run.toml has it."""
    run = tomllib.loads((asked.run_of(arm) / "run.toml").read_text(encoding="utf-8"))
    network = run["recipe"]["network"]
    return {
        "name": arm,
        "network": network["name"],
        "shrink": network["shrink"],
        "loss": run["recipe"]["loss"]["expression"],
        "steps": run["plan"]["steps"],
        "command": shlex.join([*told(asked, arm), "--run", "RUN"]),
    }


def rate(asked: Asked) -> None:
    """Bits and what is left of the pictures, in every way."""
    ways = [
        Way("full", None, None),
        Way("bicubic", lambda hr: downscale(hr, SCALE), enlargement_of(asked.run_of("bicubic"))),
        Way(
            "learned",
            reduction_of(asked.run_of("learned")),
            enlargement_of(asked.run_of("learned")),
        ),
    ]
    found = {}
    for name in asked.rate_sets:
        found[name] = rates(pictures_of(name), ways, scale=SCALE, protocol=PROTOCOL)
        print(json.dumps({name: answers(found[name])}), flush=True)
    write(
        asked,
        {**_kept(asked), "rates": found, "answers": {n: answers(f) for n, f in found.items()}},
    )


def draw(asked: Asked) -> None:
    """The curves of the last set of the rates."""
    found = _kept(asked)["rates"]
    name = list(found)[-1]
    write_atomically(asked.image, chart(name, found[name]))
    print(asked.image)


def pictures_of(name: str) -> list[np.ndarray]:
    """The pictures of a set, cropped to what the scale divides."""
    (found,) = find_sets([DATA / name])
    return [crop_to_multiple(read_rgb(path), SCALE) for path in found.pictures]


def reduction_of(run: Path) -> Callable[[np.ndarray], np.ndarray]:
    """F of a run, RGB to RGB."""
    from acutance.upscaling.reduction import open_reducer
    from acutance.upscaling.scoring import as_reduction

    return as_reduction(open_reducer(run))


def enlargement_of(run: Path) -> Callable[[np.ndarray], np.ndarray]:
    """What enlarges, RGB to RGB."""
    from acutance.upscaling.choice import open_engine
    from acutance.upscaling.scoring import as_rgb_function

    return as_rgb_function(open_engine(run))


def _kept(asked: Asked) -> dict:
    if not asked.results.exists():
        return {}
    return json.loads(asked.results.read_text(encoding="utf-8"))


def write(asked: Asked, found: dict) -> None:
    write_atomically(asked.results, json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
