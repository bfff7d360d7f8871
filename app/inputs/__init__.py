"""What a page runs: which checkpoint, and which sample, drawing, picture or recording of events it sees."""
