"""Pictures as arrays; only operators.py knows torch."""
