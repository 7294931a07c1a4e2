"""Who someone is, and the applications that act for them."""

from accounts.models.applications import Application, ApplicationStatus, Consent
from accounts.models.people import FOREVER, RealtimeTicket, TokenFamily, User, UserManager, admitted

__all__ = [
    "FOREVER",
    "Application",
    "ApplicationStatus",
    "Consent",
    "RealtimeTicket",
    "TokenFamily",
    "User",
    "UserManager",
    "admitted",
]
