"""Tests and simulations of agents over HTTP."""
