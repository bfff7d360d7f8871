"""What every page is made of: its opening, its tools, its charts, what it lets a reader take home."""
