"""Losses that look at local statistics: brightness, contrast, structure."""
