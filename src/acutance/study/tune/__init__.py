"""Which weights are better: a search over the free names of a loss, and a front with intervals."""
