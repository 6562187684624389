"""The loss section of other trainers' option files, read into an expression of ours."""
