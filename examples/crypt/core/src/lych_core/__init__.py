"""The core of a small living application."""
