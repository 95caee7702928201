"""Independent witnesses: what the product says is judged by these, never by the product itself."""
