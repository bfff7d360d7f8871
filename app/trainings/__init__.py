"""Runs, while they are written: started and stopped from a page, read again as they grow."""
