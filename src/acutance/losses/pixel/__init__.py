"""Losses that judge each pixel by itself."""
