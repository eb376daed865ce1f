"""ONNX models on the board: what a model's files must be, running them, and accepting a new one."""
