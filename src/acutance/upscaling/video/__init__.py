"""Videos, frame by frame: everything of the file but the size of its pictures stays as it was."""
