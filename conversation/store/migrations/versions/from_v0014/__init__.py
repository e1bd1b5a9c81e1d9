"""The series goes on: one file for each change, as in the folder above."""
