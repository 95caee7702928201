"""Configuration as code: the streams of this host as one YAML file, exported, compared and applied.

`reading` reads a file, `plan` compares it with the streams, `applying` carries the plan out; `export` writes a file.
"""
