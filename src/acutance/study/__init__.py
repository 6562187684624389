"""Answers from many runs, and the joining of what runs leave with how it is scored."""
