"""The dashboard: rooms that read the link, take inputs, compute, and views that choose, load and show."""
