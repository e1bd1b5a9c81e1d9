"""Checks of knowledge bases, evaluations, reports and the installation, and what mends them."""
