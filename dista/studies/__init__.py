"""Grids of trained runs: what differs, who trains what, and what came out, with its uncertainty."""
