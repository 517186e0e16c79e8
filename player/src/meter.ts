/** What a viewer would complain about, measured on the `<video>`, the same for every engine. */

export interface Meter {
  /** Milliseconds from the request to play to the first frame on screen; `null` before it. */
  startupMs: number | null;
  /** Times the picture stopped for want of data, not counting the wait after a seek. */
  stalls: number;
  /** Everything the engine reported, fatal or not. */
  errors: string[];
  /** Call when the viewer asks for playback, before anything is loaded for it. */
  requested(): void;
}

/** With that much buffered ahead, it is not for want of data that the picture stands still. */
export const ENOUGH_SECONDS = 0.5;

export function measure(video: HTMLVideoElement, signal: AbortSignal): Meter {
  let requestedAt = 0;
  let flowing = false;
  const meter: Meter = {
    startupMs: null,
    stalls: 0,
    errors: [],
    requested() {
      requestedAt = performance.now();
      if ('requestVideoFrameCallback' in video) video.requestVideoFrameCallback(started);
    },
  };
  function started(): void {
    meter.startupMs ??= Math.round(performance.now() - requestedAt);
  }
  const on = (event: string, act: () => void) => video.addEventListener(event, act, { signal });
  on('playing', () => {
    flowing = true;
    // No frame will come of a title without pictures, nor tell of itself in an old browser.
    if (!video.videoWidth || !('requestVideoFrameCallback' in video)) started();
  });
  on('seeking', () => (flowing = false));
  on('ended', () => (flowing = false));
  on('waiting', () => {
    // A decoder that is late shows as dropped frames.
    const starved = bufferedAhead(video) < ENOUGH_SECONDS;
    if (flowing && starved && !video.seeking && !video.ended) meter.stalls += 1;
    flowing = false;
  });
  return meter;
}

/** Seconds buffered without a gap from the playhead on. */
export function bufferedAhead(video: HTMLVideoElement): number {
  const { buffered, currentTime } = video;
  for (let i = 0; i < buffered.length; i++) {
    // A frame or two of slack: the playhead may stand just before the first buffered sample.
    if (buffered.start(i) - 0.05 <= currentTime && currentTime <= buffered.end(i)) {
      return buffered.end(i) - currentTime;
    }
  }
  return 0;
}
