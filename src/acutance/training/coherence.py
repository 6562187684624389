"""Settings of a recipe that do not go together: what no single value can know."""

from typing import TYPE_CHECKING

from acutance.errors import InputError

if TYPE_CHECKING:
    from acutance.training.recipe import Recipe


def check_whole(recipe: "Recipe") -> None:
    """Raise InputError for settings that do not go together."""
    if recipe.data.lr and recipe.data.make_lr == "each":
        raise InputError(
            "data.make_lr = 'each' makes lr pictures, but data.lr gives them. Drop one."
        )
    if recipe.optim.name == "schedule_free":
        if recipe.optim.schedule not in {"auto", "constant"}:
            raise InputError(
                f"optim.schedule = '{recipe.optim.schedule}' does not go with optim.name = "
                "'schedule_free', which needs none. Remove it."
            )
        if recipe.optim.ema not in {"auto", 0.0}:
            raise InputError(
                "optim.ema does not go with optim.name = 'schedule_free': its weights are an "
                "average already. Remove it."
            )
    if recipe.stop.until and recipe.optim.schedule not in {"auto", "constant"}:
        raise InputError(
            f"--until {recipe.stop.until} needs optim.schedule = 'constant': the "
            f"'{recipe.optim.schedule}' schedule must know the last step beforehand."
        )
    _check_length(recipe)
    _check_levels(recipe)
    _check_shrink(recipe)
    _check_degradation(recipe)
    _check_teaching(recipe)
    scale = recipe.network.scale
    if recipe.data.patch != "auto" and recipe.data.patch % scale:
        fitting = max(scale, recipe.data.patch // scale * scale)
        raise InputError(
            f"data.patch = {recipe.data.patch} is not a multiple of the scale {scale}. "
            f"Use {fitting}."
        )


def _check_length(recipe: "Recipe") -> None:
    if recipe.stop.steps and recipe.stop.minutes and not recipe.stop.until:
        raise InputError("Give --steps or --minutes, not both.")
    if recipe.first.loss and recipe.stop.steps == 1 and not recipe.network.start:
        raise InputError("One step cannot be shared by two stages (first.loss). Give 2 or more.")


def _check_degradation(recipe: "Recipe") -> None:
    data = recipe.data
    if data.degrade and data.lr:
        raise InputError("data.degrade makes lr pictures, but data.lr gives them. Drop one.")
    if recipe.network.scale == 1 and not (data.degrade or data.lr):
        raise InputError(
            "At scale 1 lr is hr itself, so there is nothing to learn. Say what befalls the "
            "pictures, as in --degrade 'jpeg(quality=(10, 60))', or give lr pictures by --lr."
        )


def _check_teaching(recipe: "Recipe") -> None:
    """A teacher is asked once where lr stays the same all through."""
    if recipe.loss.teach != "once":
        return
    if not recipe.loss.teacher:
        raise InputError("loss.teach = 'once' says when a teacher is asked: name one by --teacher.")
    reasons = {
        "data.make_lr = 'each', which makes lr of every crop": recipe.data.make_lr == "each",
        "data.degrade, which makes another lr at each step": bool(recipe.data.degrade),
        "optim.name = 'gd', which looks at the whole set at once": recipe.optim.name == "gd",
        "first.loss, whose stage has its own teacher or none": bool(recipe.first.loss),
    }
    for reason, holds in reasons.items():
        if holds:
            raise InputError(f"loss.teach = 'once' does not go with {reason}. Leave one out.")


def _check_levels(recipe: "Recipe") -> None:
    """Refuse what does not go with levels in turn."""
    way = recipe.data.levels
    if way == "top":
        return
    reasons = {
        "data.lr, whose pictures are of one scale": bool(recipe.data.lr),
        "data.degrade, which makes lr of one scale": bool(recipe.data.degrade),
        "optim.name = 'gd', which looks at the whole set at once": recipe.optim.name == "gd",
        "a teacher, whose results are of one scale": bool(recipe.loss.teacher),
        "the head 'spread', which is of one scale": bool(recipe.network.head),
        "--until, since the stages of a run must know its last step": bool(
            way == "grow" and recipe.stop.until
        ),
    }
    for reason, holds in reasons.items():
        if holds:
            raise InputError(f"data.levels = '{way}' does not go with {reason}. Drop one.")


def _check_shrink(recipe: "Recipe") -> None:
    """Refuse what does not go with an F that learns."""
    if not recipe.network.shrink:
        return
    reasons = {
        "data.lr, which gives the small pictures": bool(recipe.data.lr),
        "data.degrade, which makes the small pictures": bool(recipe.data.degrade),
        f"data.levels = '{recipe.data.levels}', whose levels have other small pictures": bool(
            recipe.data.levels != "top"
        ),
        "the head 'spread', which is of the network alone": bool(recipe.network.head),
        "a teacher, which was trained for bicubic": bool(recipe.loss.teacher),
        "network.scale = 1, at which nothing is made small": recipe.network.scale == 1,
    }
    for reason, holds in reasons.items():
        if holds:
            raise InputError(
                f"network.shrink = '{recipe.network.shrink}', an F that learns, does not go with "
                f"{reason}. Drop one."
            )
