"""Gives any command a real PostgreSQL and a real Redis-compatible server. Imports no Django."""
