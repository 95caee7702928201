"""Tests of the product, in rings; see docs/architecture.md."""
