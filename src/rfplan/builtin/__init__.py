"""The built-in synthetic scenario."""
