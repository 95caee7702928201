"""Independent measurements and helpers: they judge what the product reports, without the product's own code."""
