"""The values and rules of the line-up test: the plan, the measurements and the verdict."""
