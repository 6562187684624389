"""A live page of trainings: what runs, how it learns, and when it will be done."""
