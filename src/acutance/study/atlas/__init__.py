"""What each loss does, measured: its card, what it sees and is blind to, where it leads."""
