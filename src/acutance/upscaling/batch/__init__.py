"""Many files: which become which, what is finished already, and who does the work."""
