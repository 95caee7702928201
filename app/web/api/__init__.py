"""The JSON API, a module per subject, and its OpenAPI description. `docs/api.md` tells it to the outside."""
