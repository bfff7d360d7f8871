"""What models answer, computed once and cached: recordings, runs without a part, noise, many samples."""
