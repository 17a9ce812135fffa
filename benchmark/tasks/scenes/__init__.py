"""Scenes with exact times: sounds mixed and placed at stated levels."""
