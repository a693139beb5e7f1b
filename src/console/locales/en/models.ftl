# Models.
models-title = Models
