"""The engines that carry jobs, one package each. No code outside an engine depends on how it works."""
