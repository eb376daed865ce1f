"""What takes the place of the kernel's interfaces below Blinka, so that everything above them runs unmodified."""
