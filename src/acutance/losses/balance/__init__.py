"""Rules that weigh the terms of a sum against each other while training. No torch is imported."""

from acutance.catalog import Catalog

BALANCES = Catalog(
    "balance",
    {
        "cagrad": "acutance.losses.balance.conflict:cagrad",
        "dwa": "acutance.losses.balance.progress:AverageProgress",
        "mgda": "acutance.losses.balance.conflict:mgda",
        "pcgrad": "acutance.losses.balance.conflict:pcgrad",
        "relobralo": "acutance.losses.balance.progress:RelativeProgress",
        "uncertainty": "acutance.losses.balance.uncertainty:Uncertainty",
        "upgrad": "acutance.losses.balance.conflict:upgrad",
    },
    group="acutance.balances",
)
