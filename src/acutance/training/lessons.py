"""Another loss in a recipe's place: the teacher stays where a term looks at it."""

from dataclasses import replace

from acutance.training.recipe import LossChoice

TAUGHT = "output_distillation"  # the term that looks at a teacher


def with_expression(choice: LossChoice, expression: str) -> LossChoice:
    """`choice` with another expression; without its teacher where no term of that looks at one."""
    if TAUGHT in expression:  # within another loss, too
        return replace(choice, expression=expression)
    return replace(choice, expression=expression, teacher="", teach="each")
