"""How fast the product is on this machine: ``python -m benchmarks`` (or ``make bench``).

    titles, library     MP4 files of hours, written from seconds of encoding
    micro               the packager alone: index, presentation, plan, manifests
    workloads, targets  what is asked for, and the same bytes as files for nginx
    servers             vod-origin and nginx, each held to one core
    load, drain         closed-loop clients, held to another
    rounds, verdict     servers in turn, medians, and when not to compare
    report, chart       JSON, a table and a plot

Linux only: cores are read from /proc, and the client drains bodies without copying them.
"""
