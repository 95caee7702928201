"""Joins the end of a file to its beginning without a seam."""
