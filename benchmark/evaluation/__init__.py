"""From audio to scores with HEAR's own commands: ``python -m benchmark run``."""
