# Help.
help-title = Help
