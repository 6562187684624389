"""Losses with a margin: errors that do not count, and pictures to stay away from."""
