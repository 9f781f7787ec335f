"""Inglenook's library: starts no process, opens no port."""
