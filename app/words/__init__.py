"""The sentences of the product, each written once. Pure; imports the domain only."""
