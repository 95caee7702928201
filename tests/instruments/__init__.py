"""Independent measurements and helpers. They check the product's reports without the product's own code."""
