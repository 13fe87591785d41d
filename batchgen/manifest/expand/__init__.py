"""From entries to jobs: variables, axes, prompts, parameters and ids."""
