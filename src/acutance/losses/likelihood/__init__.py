"""Losses of a network that also says how sure it is."""
