"""What merchandisers do beside rules: bring catalogues in, build, compare, publish, go back, and see who did what."""
