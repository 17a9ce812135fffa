"""A training run: recipe, sampler, steps, saved state, log and export."""
