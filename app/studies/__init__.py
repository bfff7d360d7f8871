"""Studies and their runs on pages: started and stopped, read again as they grow, shown with their uncertainty."""
