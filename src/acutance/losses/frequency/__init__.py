"""Losses that look at waves: Fourier, wavelets, pyramids, cosines."""
