"""Files: written whole and over nothing that is not ours, read with limits into types, never run."""
