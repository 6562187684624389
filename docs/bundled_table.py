"""The models that the package brings, as their cards say."""

from guide_tables import table

SETS = ("Set5", "Set14", "B100")
EIGHT = "-int8"  # ends the name of a family in 8 bits


def bundled_table() -> str:
    """A row for each file; below it what the owners of the pictures ask, and what it is bad at."""
    from acutance.models.listing import listed_models

    rows, notes = [], {}
    plain_first = sorted(listed_models(), key=lambda m: (m.family.removesuffix(EIGHT), m.family))
    for model in plain_first:
        card, scores = model.card, model.scores()
        rows.append(
            (
                f"`{model.family}`",
                f"x{card.scale}",
                f"{model.parameters:,}",
                f"{model.size / 1024:,.0f}",
                *(f"{scores[name]['psnr']:.2f}" if name in scores else "-" for name in SETS),
                f"{card.int8['loss_db']:.3f}" if card.int8 else "-",
                card.data_terms.partition(".")[0],
                card.licence,
            )
        )
        notes[model.family] = (
            f"- `{model.family}`, bad at: {card.bad_at} Pictures: {card.data_terms}"
        )
    head = ("model", "scale", "parameters", "KiB", *SETS, "8 bits cost, dB")
    return table((*head, "pictures", "licence"), rows) + "\n" + "\n".join(notes.values()) + "\n"


BUNDLED_TABLE = {"bundled": bundled_table}
