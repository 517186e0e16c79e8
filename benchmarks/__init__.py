"""How fast the product is on this machine: ``python -m benchmarks`` (or ``make bench``).

    parts, effort            what a run consists of, how much of each, how long it takes
    titles, library          MP4 files of hours, written from seconds of encoding
    micro                    the packager alone: index, presentation, plan, manifests
    workloads, targets       what is asked for, and the same bytes as files for nginx
    contests                 who is measured in turn with whom
    buckets, relays, distant the same where all bytes come from S3
    servers                  a server, held to its core: origins, nginx, unobserved, certificates
    load, drain              closed-loop clients, held to another
    rounds, verdict          servers in turn, medians, and when not to compare
    crowds, connections      memory of connections that do nothing
    cold, cold_s3            first answers of titles not yet seen, libraries of any size; of S3
    findings, figures        what was found out
    report, goals, plot, chart, progress
                             JSON, tables, a plot, and what is left to do
    compare                  what got worse between two runs

Linux only: cores and memory are read from /proc, and the client drains bodies without copying them.
"""
