# Layers 2 and 3 of a decision.
why-title = Why
