"""The HTML report, maps and tables."""
