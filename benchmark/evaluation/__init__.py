"""From audio to scores by HEAR's own commands, one task and one model at a time: ``python -m benchmark run``."""
