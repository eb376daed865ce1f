"""What to use in place of packages without a wheel for these boards: small extensions in C, and others. Data only."""

INSTEAD = {
    "spidev": "`busio.SPI` of Blinka, which every board has",
    "evdev": "`/dev/input` read with `struct`; buttons on pins as a `pin` trigger",
    "rpi-gpio": "leased pins (`context.pins`), or `digitalio` of Blinka",
    "rpi-ws281x": "`adafruit-circuitpython-neopixel-spi`, pure Python over SPI",
    "pigpio": "leased pins (`context.pins`), or `pwmio` of Blinka",
    "netifaces": "`psutil.net_if_addrs()`, or `ifaddr`",
    "smbus": "`smbus2`, the same in pure Python",
    "pyaudio": "`sounddevice`, with the system's libportaudio2",
    "webrtcvad": "`webrtcvad-wheels`",
    "dlib": "`mediapipe` or an ONNX model",
    "face-recognition": "an ONNX model, as a model of Lamplight",
    "tflite-runtime": "`ai-edge-litert`, its successor",
    "awscrt": "`AWSIoTPythonSDK`, in pure Python",
    "picamera2": "the system's python3-picamera2",
}
