"""Which loss is better: many runs that differ in the loss alone, and an answer with error bars."""
