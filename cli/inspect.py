"""``vod-origin inspect FILE``"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from cli.files import index_file
from packager.model import AudioConfig, MediaKind, Presentation, Rendition, Track
from packager.mux.fmp4 import plan_segment
from packager.presentation import Source, build_presentation
from packager.ranges import ByteRange

EPILOG = """\
For each track: codec, size or channels, bit rate, edit list and key-frame spacing; then every
segment as it would be served: its time (which is its address), duration, samples, bytes, and in
how many pieces it lies in the file. Times are in seconds.

  vod-origin inspect film.mp4
  vod-origin inspect --json film.mp4 | jq '.tracks[].codec'
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "inspect",
        help="show the tracks of an MP4 and the segments it would give",
        description="Show the tracks of an MP4 and the segments it would give.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", type=Path)
    parser.add_argument("--json", action="store_true", help="as JSON, times in track ticks")
    parser.set_defaults(run=inspect)


def inspect(options: argparse.Namespace) -> int:
    index = index_file(options.file)
    presentation = build_presentation(options.file.stem, [Source(index)])
    report = {
        "file": os.fsencode(options.file).decode(errors="backslashreplace"),
        "size": index.size,
        "duration": float(presentation.duration),
        "tracks": [_describe(rendition) for rendition in presentation.renditions],
        "left_out": [item.text for item in presentation.left_out],
    }
    if options.json:
        sys.stdout.write(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        _print(report, presentation)
    return 0


def _describe(rendition: Rendition) -> dict[str, Any]:
    track, config = rendition.track, rendition.config
    common = {
        "id": track.track_id,
        "kind": track.kind.value,
        "codec": config.rfc6381,
        "language": track.language,
        "timescale": track.timescale,
        "samples": len(track.samples),
        "first_pts": track.samples.first_pts,
        "bandwidth": rendition.bandwidth,
        "average_bandwidth": rendition.average_bandwidth,
        "edit_list": _edit(track),
        "segments": _segments(rendition),
    }
    if isinstance(config, AudioConfig):
        return common | {"sample_rate": config.sample_rate, "channels": config.channels}
    return common | {
        "width": config.width,
        "height": config.height,
        "frame_rate": float(rendition.frame_rate) if rendition.frame_rate else None,
        "video_range": config.colour.video_range if config.colour else "SDR",
        "key_frames": _key_frames(track),
    }


def _edit(track: Track) -> dict[str, int | None] | None:
    edit = track.edit
    if edit is None:
        return None
    return {"delay": edit.delay, "media_time": edit.media_time, "end": edit.end}


def _key_frames(track: Track) -> dict[str, int]:
    times = np.sort(track.samples.sync_pts)
    gaps = np.diff(times)
    return {
        "count": len(times),
        "shortest_gap": int(gaps.min()) if len(gaps) else 0,
        "longest_gap": int(gaps.max()) if len(gaps) else 0,
    }


def _segments(rendition: Rendition) -> list[dict[str, int]]:
    table = rendition.segments
    return [
        {
            "time": int(table.time[index]),
            "duration": int(table.duration[index]),
            "samples": int(table.edges[index + 1] - table.edges[index]),
            "bytes": int(table.size[index]),
            "pieces": sum(
                isinstance(part, ByteRange) for part in plan_segment(rendition, index).parts
            ),
        }
        for index in range(len(table))
    ]


def _print(report: dict[str, Any], presentation: Presentation) -> None:
    print(f"{report['file']}: {report['size']:,} bytes, {report['duration']:.3f} s")
    for rendition, track in zip(presentation.renditions, report["tracks"], strict=True):
        _print_track(rendition, track)
    for reason in report["left_out"]:
        print(f"\nleft out: {reason}")


def _print_track(rendition: Rendition, track: dict[str, Any]) -> None:
    scale = track["timescale"]
    print(f"\ntrack {track['id']}  {track['kind']}  {track['codec']}  {_shape(track)}")
    print(
        f"  {track['samples']} samples, {track['average_bandwidth'] / 1000:.0f} kbit/s "
        f"(peak {track['bandwidth'] / 1000:.0f}), timescale {scale}, language {track['language']}"
    )
    print(f"  {_edit_sentence(track, scale)}")
    if rendition.track.kind is MediaKind.VIDEO:
        keys = track["key_frames"]
        print(
            f"  {keys['count']} key frames, {keys['shortest_gap'] / scale:.3f} to "
            f"{keys['longest_gap'] / scale:.3f} s apart"
        )
    print(f"  {'segment':>9} {'from':>10} {'lasts':>8} {'samples':>8} {'bytes':>11} {'pieces':>7}")
    for number, row in enumerate(track["segments"], 1):
        print(
            f"  {number:>9} {row['time'] / scale:>10.3f} {row['duration'] / scale:>8.3f} "
            f"{row['samples']:>8} {row['bytes']:>11,} {row['pieces']:>7}"
        )


def _shape(track: dict[str, Any]) -> str:
    if track["kind"] == "audio":
        return f"{track['sample_rate']} Hz, {track['channels']} channels"
    rate = f"{track['frame_rate']:.3f} fps" if track["frame_rate"] else "one frame"
    return f"{track['width']}x{track['height']}, {rate}, {track['video_range']}"


def _edit_sentence(track: dict[str, Any], scale: int) -> str:
    edit = track["edit_list"]
    first = f"first sample shown at {track['first_pts'] / scale:.3f} s"
    if edit is None:
        return f"no edit list, {first}"
    delay = f"{edit['delay'] / scale:.3f} s of delay, then " if edit["delay"] else ""
    until = f" up to {edit['end'] / scale:.3f} s" if edit["end"] is not None else ""
    return f"edit list: {delay}the media from {edit['media_time'] / scale:.3f} s{until}; {first}"
