import Hls, { ErrorDetails, ErrorTypes, Events, type ErrorData } from 'hls.js';
import { ENOUGH_SECONDS } from '../meter';
import { AUTO, OFF, nameRungs, nameTracks, selection, type CreateEngine } from './engine';

/**
 * Start on the rung the server lists first, which it chose for a quick first frame, without a
 * test download before it. Segments are fMP4 already, so there is no remuxing to give a worker.
 */
const CONFIG = {
  abrEwmaDefaultEstimate: 800_000,
  testBandwidth: false,
  lowLatencyMode: false,
  maxBufferLength: 30,
  enableWorker: false,
};

export const create: CreateEngine = (video, listener, sid) => {
  const hls = new Hls({ ...CONFIG, cmcd: { sessionId: sid, useHeaders: true } });
  let recovered = false;

  function onError(_event: string, data: ErrorData): void {
    if (isNoError(data)) return;
    const fatal = data.fatal && !recover(data);
    listener.failed(`${data.details}: ${data.error.message}`, fatal);
  }

  /** A decoder that failed once deserves a fresh one; the same again is a real failure. */
  function recover(data: ErrorData): boolean {
    if (data.type !== ErrorTypes.MEDIA_ERROR || recovered) return false;
    recovered = true;
    hls.recoverMediaError();
    return true;
  }

  hls.on(Events.ERROR, onError);
  hls.on(Events.MANIFEST_PARSED, () => {
    hls.startLevel = hls.firstLevel;
    hls.subtitleTrack = -1; // subtitles are off until the viewer asks, DEFAULT=YES or not
    listener.tracksChanged();
  });
  for (const event of [
    Events.AUDIO_TRACKS_UPDATED,
    Events.AUDIO_TRACK_SWITCHED,
    Events.SUBTITLE_TRACKS_UPDATED,
    Events.SUBTITLE_TRACK_SWITCH,
    Events.LEVEL_SWITCHED,
  ]) {
    hls.on(event, () => listener.tracksChanged());
  }

  return {
    async load(url, startAt) {
      if (startAt) hls.config.startPosition = startAt;
      hls.attachMedia(video);
      hls.loadSource(url);
    },
    qualities: selection({
      lead: AUTO,
      list: () => nameRungs(hls.levels, (level) => level),
      isSelected: (level) => !hls.autoLevelEnabled && level === hls.levels[hls.loadLevel],
      apply: (level) => (hls.nextLevel = level ? hls.levels.indexOf(level) : -1),
    }),
    audio: selection({
      list: () =>
        nameTracks(hls.audioTracks, ({ lang, name }) => ({ language: lang, label: name })),
      isSelected: (track) => track === hls.audioTracks[hls.audioTrack],
      apply: (track) => track && (hls.audioTrack = hls.audioTracks.indexOf(track)),
    }),
    text: selection({
      lead: OFF,
      list: () =>
        nameTracks(hls.subtitleTracks, ({ lang, name }) => ({ language: lang, label: name })),
      isSelected: (track) => track === hls.subtitleTracks[hls.subtitleTrack],
      apply: (track) => (hls.subtitleTrack = track ? hls.subtitleTracks.indexOf(track) : -1),
    }),
    stats: () => ({ bitrate: hls.levels[hls.currentLevel]?.bitrate ?? null }),
    destroy: () => hls.destroy(),
  };
};

/** A request that a new choice made vain, and a decoder that is late with data at hand. */
function isNoError({ details, buffer = 0 }: ErrorData): boolean {
  return (
    details === ErrorDetails.INTERNAL_ABORTED ||
    (details === ErrorDetails.BUFFER_STALLED_ERROR && buffer >= ENOUGH_SECONDS)
  );
}
