"""What the page Memory is made of: four networks with one step changed, one change looked at closely, the cue."""
