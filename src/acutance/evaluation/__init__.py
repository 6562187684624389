"""Scores by published protocols."""
