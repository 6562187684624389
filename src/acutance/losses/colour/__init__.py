"""Losses of colour, and of what the result looks like made small again."""
