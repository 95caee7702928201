"""How a job is carried: one package per engine. Nothing outside an engine knows how it works."""
