"""Tests of the product, in tiers by what they need; see docs/architecture.md."""
