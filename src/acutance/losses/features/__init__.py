"""Losses that compare what a feature network sees."""
