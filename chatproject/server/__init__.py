"""Our Daphne: a light parent that holds the listening socket, and children that serve from it."""
