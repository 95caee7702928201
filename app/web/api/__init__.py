"""The JSON API, one module per subject, and its OpenAPI description. `docs/api.md` describes it for users."""
