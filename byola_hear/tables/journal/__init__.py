"""The journal of a table: its rows on disk while it is being made, so that they survive a crash."""
