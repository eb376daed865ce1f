"""The http trigger and its server: sockets, connections, heads, bodies, the guard, and the routes to functions."""
