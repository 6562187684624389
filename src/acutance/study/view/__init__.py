"""Looking at pictures beside each other: what is shown, its pieces, the page, and a blind test."""
