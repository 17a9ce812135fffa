"""HEAR's tools of 2021 (hearvalidator 2021.0.6, heareval 2021.1.3) on today's Python, with unchanged commands."""
