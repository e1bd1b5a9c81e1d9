"""Checks of knowledge bases, evaluations, reports and the installation."""
