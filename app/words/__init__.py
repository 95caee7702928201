"""The sentences that a person reads, each written once. Pure; imports the domain only."""
