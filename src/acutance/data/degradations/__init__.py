"""What happens to a picture between the lens and the file: stages by name, one a file.

A chain of stages makes lr from hr: `blur(sigma=(0.2, 3)) | reduce | jpeg(quality=(30, 95))`.
expression.py reads it, chain.py draws its numbers and carries it out.
"""

from acutance.catalog import Catalog

DEGRADATIONS = Catalog(
    "degradation",
    {
        "reduce": "acutance.data.degradations.reduce:reduce",
    },
    "acutance.degradations",
)
