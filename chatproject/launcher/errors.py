"""What the launcher tells a person instead of a traceback."""


class LauncherError(Exception):
    """One sentence that names what is wrong and what to do."""
