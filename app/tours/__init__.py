"""Guided ways through the dashboard: a text file is a tour, a step of it a link, a paragraph and perhaps a question."""
