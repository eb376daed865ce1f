"""The stand-ins for the kernel's interfaces below Blinka: everything above them runs unmodified."""
