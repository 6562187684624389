"""Losses that look at differences between neighbouring pixels."""
