"""Thousands of viewers in real time, beside nginx: ``python -m benchmarks.viewers``.

    media    two ladders and a catalogue, made once; the same objects as files for nginx
    runs     scenarios of ``vod-origin loadtest``, each at a server of its own
    outcome  what a run's results.json says while all viewers are there
    page     a table and a plot in docs/performance.md

Server and viewers share this machine, so its cores bound what all viewers have together: the rates
of the ladder are chosen for that, and the table says them.
"""
