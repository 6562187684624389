"""Losses that compare which values occur, not where."""
