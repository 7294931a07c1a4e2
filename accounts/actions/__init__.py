"""What changes people: the only code that writes their rows."""
