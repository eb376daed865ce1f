"""The file trigger: a folder, watched by the kernel or by looking again."""
