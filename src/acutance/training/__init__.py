"""One run: the recipe, the loop, and what it leaves in its folder."""
