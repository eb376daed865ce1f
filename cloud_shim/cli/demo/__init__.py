"""`lamplight demo`: the whole loop without hands, each step checked on the simulated hardware itself.

session      one run: a home on free ports in a temporary folder, always cleaned up
steps        the demo, step by step
bench_top    a hand for the simulated board: covers the sensor, waves, looks at the LED
backlog      did everything arrive, once each and in order? (pure)
transcript   each step as a line: its time, a tick or a cross
"""
