"""Files: networks and checkpoints as safetensors that nobody can break.

`container` is the file, `atomic` how it is written, `strict_json` how its text is read,
`model_file` what a network is in it.
"""
