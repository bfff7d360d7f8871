"""The pages. Each chooses, loads and shows, and computes nothing itself."""
