"""What perception costs: a small L1-trained x4 network, fine-tuned by three perceptual losses.

    python benchmarks/finetunes.py [train|score|draw] [--start RUN_OR_MODEL] [--only ARM ...]

Without a step it takes all three, and each goes on where it was stopped. Needs ACUTANCE_DATA with
T91, BSDS200, the sets, and weights (SqueezeNet for the losses, AlexNet and LPIPS for the score).

train   START under l1, if none is given, then every arm from START with `acutance train`
score   bicubic, START and every arm that has finished, then the mixtures of START and the best arm;
        kept by the digest of the weights, so that no model is scored twice.
        Writes results/finetunes.json
draw    docs/images/finetunes.svg, the plane with the curve of the mixtures, and finetunes.png,
        crops of scikit-image's photographs

The best arm is that of the lowest LPIPS on the first set, unless --best names another. Intervals
are over pictures: one seed each, so they are about these networks and not about their losses.
"""

import argparse
import hashlib
import json
import shlex
import subprocess
import sys
import tomllib
from dataclasses import asdict, dataclass, field
from pathlib import Path

from acutance.evaluation.scored_terms import check_scorer_is_no_term
from acutance.losses.expression import parse_loss
from acutance.models.card import read_card
from acutance.storage import write_atomically
from facts import stamp
from finetunes_scores import BICUBIC, DATA, METRICS, PROTOCOL, SCALE, curve, rows_of, scored

RESULTS = Path(__file__).parent / "results" / "finetunes.json"
NETWORK, START = "compact:small", "L1"  # what all go on from, and its name in the tables


@dataclass(frozen=True)
class Arm:
    """A fine-tune: its loss, whose recipe it follows, and settings that differ from the others'."""

    loss: str
    after: str
    settings: dict[str, object] = field(default_factory=dict)


OF_START: dict[str, object] = {"data.patch": 96, "data.skip_bad": True}
# of every arm: with these losses many small and noisy steps pay more than few exact ones
SHARED: dict[str, object] = {"optim.rate": 2e-4, "data.patch": 64, "data.batch": 8}
# Weights are such that at the start no term's gradient at the output is lost beside the others:
# there its norm is 0.016 for l1, 1 for lpips, 4,500 for content, and 0.02 to 0.6 for gan.
ARMS = {
    "feature": Arm(
        "l1 + 0.1*lpips(net='squeeze')",
        "Johnson et al., Perceptual Losses (2016), and Zhang et al., LPIPS (2018), by SqueezeNet",
    ),
    "SRGAN": Arm(
        "0.5*l1 + 0.00001*content(net='squeezenet') + 0.01*gan(kind='vanilla')",
        "Ledig et al., SRGAN (2017): squared error of features, vanilla game",
    ),
    "ESRGAN": Arm(
        "0.1*l1 + 0.1*lpips(net='squeeze') + 0.01*gan(kind='relativistic_average')",
        "Wang et al., ESRGAN (2018): features before all, relativistic game",
    ),
}


@dataclass(frozen=True)
class Asked:
    """What the command line says."""

    start: Path
    start_steps: int
    minutes: float
    seed: int
    arms: tuple[str, ...]
    sets: tuple[str, ...]
    best: str
    work: Path
    results: Path
    images: Path
    command: str

    @property
    def chosen(self) -> dict[str, Arm]:
        """The arms of this call."""
        return {name: ARMS[name] for name in self.arms}


def main() -> None:
    steps = {"train": train, "score": score, "draw": draw}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", nargs="?", choices=list(steps), help="one step only")
    parser.add_argument("--start", type=Path, help="an L1-trained x4 run or model")
    parser.add_argument("--start-steps", type=int, default=12000, help="of a START of its own")
    parser.add_argument("--minutes", type=float, default=15, help="of each arm")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=list(ARMS), default=list(ARMS))
    parser.add_argument("--sets", nargs="+", default=["B100", "Set5", "Set14"])
    parser.add_argument(
        "--best", choices=list(ARMS), default="", help="an arm for the curve and the crops"
    )
    parser.add_argument("--work", type=Path, default=Path("runs/finetunes"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument(
        "--images", type=Path, default=Path(__file__).parents[1] / "docs" / "images"
    )
    found = parser.parse_args()
    asked = Asked(
        start=(found.start or found.work / "start").resolve(),
        start_steps=found.start_steps,
        minutes=found.minutes,
        seed=found.seed,
        arms=tuple(found.only),
        sets=tuple(found.sets),
        best=found.best,
        work=found.work.resolve(),
        results=found.results,
        images=found.images,
        command=command_of(found, parser),
    )
    if found.start is None:
        carry_out(asked.start, start_words(asked))
    for name in [found.step] if found.step else steps:
        steps[name](asked)


def command_of(found: argparse.Namespace, parser: argparse.ArgumentParser) -> str:
    """The command as others would give it, without the folders of this machine."""
    words = ["python", "benchmarks/finetunes.py", *(["--start", "START"] if found.start else [])]
    for name in ("start_steps", "minutes", "seed", "only", "sets", "best"):
        value = getattr(found, name)
        if value != parser.get_default(name):
            values = value if isinstance(value, list) else [value]
            words += [f"--{name.replace('_', '-')}", *(f"{v}" for v in values)]
    return shlex.join(words)


def train(asked: Asked) -> None:
    """Every arm that has not come to its end. None may look through a network that scores it."""
    for arm in asked.chosen.values():
        check_scorer_is_no_term(parse_loss(arm.loss), METRICS)
    for arm in asked.chosen.values():
        carry_out(folder_of(asked, arm), arm_words(asked, arm))


def carry_out(run: Path, words: list[str]) -> None:
    """`acutance train`, which goes on with a run that was stopped; nothing if it has ended."""
    if is_finished(run):
        return
    places = [str(DATA / word) if (DATA / word).is_dir() else word for word in words]
    print(f"{run.name}: {in_a_line(words)}", flush=True)
    subprocess.run([sys.executable, "-m", *places, "--run", str(run)], check=True)


def in_a_line(words: list[str]) -> str:
    """As one types it: losses quote the names within them by one mark, and so stand in two."""
    return " ".join(f'"{word}"' if "'" in word else shlex.quote(word) for word in words)


def is_finished(run: Path) -> bool:
    """Whether training came to its end there and left its model."""
    from acutance.training.record import read_log

    ended = any(event["event"] == "end" for event in read_log(run)[-1:])
    return ended and (run / "model.safetensors").exists()


def start_words(asked: Asked) -> list[str]:
    """The command that makes a START."""
    return [*shared_words(asked, "l1", OF_START), "--steps", str(asked.start_steps)]


def arm_words(asked: Asked, arm: Arm) -> list[str]:
    """The command that makes an arm."""
    words = shared_words(asked, arm.loss, {**SHARED, **arm.settings})
    return [*words, "--from", str(asked.start), "--minutes", f"{asked.minutes:g}"]


def shared_words(asked: Asked, loss: str, settings: dict[str, object]) -> list[str]:
    words = ["acutance", "train", "T91", "BSDS200", "--scale", str(SCALE), "--network", NETWORK]
    words += ["--loss", loss, "--threads", "1", "--precision", "fp32"]
    words += ["--seed", str(asked.seed)]
    for key, value in settings.items():
        words += ["--set", f"{key}={str(value).lower() if isinstance(value, bool) else value}"]
    return words


def folder_of(asked: Asked, arm: Arm) -> Path:
    """A folder of its own for every version of an arm, so that a changed one is trained anew."""
    name = next(name for name, other in ARMS.items() if other == arm)
    made_by = [*arm_words(asked, arm), read_card(asked.start).weights]
    return asked.work / f"{name}-{hashlib.sha256(json.dumps(made_by).encode()).hexdigest()[:8]}"


def score(asked: Asked) -> None:
    """Score whatever is there, and write the results."""
    models = {BICUBIC: BICUBIC, START: str(asked.start)}
    runs = {name: folder_of(asked, arm) for name, arm in asked.chosen.items()}
    models |= {name: str(run) for name, run in runs.items() if is_finished(run)}
    kept = asked.work / "scores"
    scores = {name: scored(model, asked.sets, kept) for name, model in models.items()}
    arms = [name for name in models if name in ARMS]
    group = asked.sets[0]
    best = asked.best or min(arms, key=lambda name: scores[name].mean(group, "lpips"), default="")
    found = {
        "command": asked.command,
        **stamp(),
        "protocol": PROTOCOL,
        "start": started(asked),
        "arms": [described(asked, name) for name in arms],
        "rows": rows_of(scores, START),
        "best": best,
        "set": group,
        "curve": curve((models[START], models[best]), group, kept) if best else [],
    }
    text = json.dumps(found, indent=1).replace(str(DATA), "$ACUTANCE_DATA")
    write_atomically(asked.results, text.replace(str(asked.start), "START") + "\n")
    print(asked.results)


def started(asked: Asked) -> dict[str, object]:
    """What START is, and the command that made it where its run is at hand."""
    card, record = read_card(asked.start), asked.start / "run.toml"
    found = {"architecture": card.architecture, "arguments": dict(card.arguments)}
    found |= {"color": card.color, "loss": card.loss, "steps": card.steps}
    if record.is_file():
        found["command"] = tomllib.loads(record.read_text(encoding="utf-8"))["command"]
    return found


def described(asked: Asked, name: str) -> dict[str, object]:
    """An arm with its command and the steps that it took."""
    run = folder_of(asked, ARMS[name])
    steps = read_card(run).steps
    command = in_a_line(arm_words(asked, ARMS[name]))
    return {"name": name, **asdict(ARMS[name]), "command": command, "steps": steps}


def draw(asked: Asked) -> None:
    """The plane and the crops, from the results and the models."""
    from finetunes_drawing import crops, plane_of

    found = json.loads(asked.results.read_text(encoding="utf-8"))
    asked.images.mkdir(parents=True, exist_ok=True)
    write_atomically(asked.images / "finetunes.svg", plane_of(found))
    arms = {name: folder_of(asked, arm) for name, arm in asked.chosen.items()}
    trained = {name: folder for name, folder in arms.items() if is_finished(folder)}
    if trained:
        models = {START: asked.start, **trained}
        write_atomically(asked.images / "finetunes.png", crops(models, SCALE))
    print(asked.images)


if __name__ == "__main__":
    main()
