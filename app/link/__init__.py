"""The address of a page: the one place of its state, and what can be shared of it."""
