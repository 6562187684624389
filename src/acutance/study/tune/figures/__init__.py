"""What the page of a search shows: the plane of its objectives, its growth, and its knobs."""
