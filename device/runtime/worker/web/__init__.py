"""Web applications as handlers: those of WSGI (Flask, Django, Bottle) and of ASGI (Starlette, FastAPI, Quart)."""
