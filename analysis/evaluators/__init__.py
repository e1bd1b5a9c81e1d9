"""Kinds of criteria that are decided without a judge, one file each; `known` registers them."""
