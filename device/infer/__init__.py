"""ONNX models on the board: the form of a model's files, running them, and accepting a new one."""
