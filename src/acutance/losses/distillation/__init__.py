"""Losses that follow another network."""
