"""HEAR's 2021 tools (hearvalidator 2021.0.6, heareval 2021.1.3) on today's Python, commands unchanged."""
