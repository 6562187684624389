"""The contract as checks, for our losses and anybody's."""
