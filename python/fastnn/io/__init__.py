"""Files: networks and checkpoints as safetensors that nobody can break.

`container` is the file: `header` and `strict_json` read what describes it, `atomic`
writes it whole or not at all. `model_file` is what a network is in it.
"""
