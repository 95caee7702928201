"""Configuration as code: the streams of this host as one YAML file, exported, compared and applied.

A file is read in `reading`, compared with the streams in `plan`, carried out in `applying`; `export` writes one.
"""
