"""The command line's sub-commands, one a file, loaded when they are called."""
