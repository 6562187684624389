"""What in a recipe does not go together, where the reason is a part of training and no value."""

from typing import TYPE_CHECKING

from acutance.errors import InputError

if TYPE_CHECKING:
    from acutance.training.recipe import Recipe


def check_together(recipe: "Recipe") -> None:
    """Raise InputError that names the two settings of which one is to be dropped."""
    check_levels(recipe)
    check_shrink(recipe)
    check_degradation(recipe)


def check_degradation(recipe: "Recipe") -> None:
    """Refuse what does not go with a degradation, and a scale that needs one."""
    data = recipe.data
    if data.degrade and data.lr:
        raise InputError("data.degrade makes lr pictures, but data.lr gives them. Drop one.")
    if recipe.network.scale == 1 and not (data.degrade or data.lr):
        raise InputError(
            "At scale 1 lr is hr itself, so there is nothing to learn. Say what befalls the "
            "pictures, as in --degrade 'jpeg(quality=(10, 60))', or give lr pictures by --lr."
        )


def check_levels(recipe: "Recipe") -> None:
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


def check_shrink(recipe: "Recipe") -> None:
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
