"""Training: the recipe of a run, its sampler, steps, saved state, log and export."""
