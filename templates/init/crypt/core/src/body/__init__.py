"""The core of a living application."""
