"""Photos that somebody seems to have written on, for the merchandiser to look at."""
