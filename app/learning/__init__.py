"""What the page Train is made of: how far a run is, and its curves; live while it is written, figures after it."""
