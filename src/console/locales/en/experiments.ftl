# Experiments.
experiments-title = Experiments
