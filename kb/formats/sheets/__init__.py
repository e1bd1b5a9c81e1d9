"""Spreadsheets: what a workbook holds, and what its sheets show of it."""
