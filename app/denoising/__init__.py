"""What the page Denoise is made of: noise and threshold chosen, maps with and without it, accuracy against it."""
