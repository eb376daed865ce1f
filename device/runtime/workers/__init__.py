"""Worker and zygote processes as the agent sees them: how they are started, fed, watched and ended."""
