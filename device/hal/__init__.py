"""The board's pins and sensors, by their logical names, through Blinka: one code path, real or simulated."""
