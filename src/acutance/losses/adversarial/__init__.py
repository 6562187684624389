"""Losses that a second network finds: the discriminator."""
