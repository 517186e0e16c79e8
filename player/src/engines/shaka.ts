import shaka from 'shaka-player/dist/shaka-player.compiled-es2021.js';
import { AUTO, OFF, nameRungs, nameTracks, selection, type CreateEngine } from './engine';

/**
 * The first estimate decides the first rung: a low one gives a quick first frame on any line, and
 * a short switch interval leaves that rung as soon as the line has shown what it can do. The
 * browser's own guess of the line is not asked: it is rounded, and capped at 10 Mbit/s.
 */
const CONFIG = {
  abr: { defaultBandwidthEstimate: 600_000, useNetworkInformation: false, switchInterval: 2 },
  streaming: { bufferingGoal: 30, rebufferingGoal: 0.1, lowLatencyMode: false },
};

/** What stays in the buffer, ahead of the playhead, while another rung comes. */
const SECONDS_TO_KEEP = 2;

export const create: CreateEngine = (video, listener, sid) => {
  shaka.polyfill.installAll();
  const player = new shaka.Player();
  player.configure({
    ...CONFIG,
    cmcd: { enabled: true, sessionId: sid, useHeaders: true },
  });

  function onError(error: shaka.util.Error): void {
    const { CRITICAL } = shaka.util.Error.Severity;
    listener.failed(describe(error), error.severity === CRITICAL);
  }

  player.addEventListener('error', (event: Event & { detail?: shaka.util.Error }) =>
    onError(event.detail!),
  );
  // While it loads, Shaka itself chooses tracks: a choice made then would be lost.
  let loaded = false;
  for (const event of [
    'trackschanged',
    'variantchanged',
    'adaptation',
    'textchanged',
    'audiotrackschanged',
  ]) {
    player.addEventListener(event, () => loaded && listener.tracksChanged());
  }

  /** The rungs in the language being heard. */
  function rungs(): shaka.extern.Track[] {
    const active = player.getVariantTracks().find((track) => track.active);
    return player.getVariantTracks().filter((track) => track.audioId === active?.audioId);
  }

  /**
   * Shaka 5.2 places HLS cues on the timeline when it next appends a video segment. There may be
   * none left to append, so the ones ahead are appended again, out of the browser's cache.
   */
  let placed = false;
  function placeCues(): void {
    const active = player.getVariantTracks().find((track) => track.active);
    if (placed || !active || player.getManifestType() !== 'HLS') return;
    placed = true; // Shaka keeps what it has learnt for all text that follows
    const { enabled } = player.getConfiguration().abr;
    player.configure('abr.enabled', false);
    player.selectVariantTrack(active, true, SECONDS_TO_KEEP);
    player.configure('abr.enabled', enabled);
  }

  return {
    async load(url, startAt) {
      try {
        await player.attach(video);
        await player.load(url, startAt || null);
        loaded = true;
        listener.tracksChanged();
      } catch (error) {
        onError(error as shaka.util.Error);
      }
    },
    qualities: selection({
      lead: AUTO,
      list: () => nameRungs(rungs(), ({ height, bandwidth }) => ({ height, bitrate: bandwidth })),
      isSelected: (track) => track.active && !player.getConfiguration().abr.enabled,
      apply(track) {
        player.configure('abr.enabled', track === null);
        if (track) player.selectVariantTrack(track, true, SECONDS_TO_KEEP);
      },
    }),
    audio: selection({
      list: () => nameTracks(player.getAudioTracks(), (track) => track),
      isSelected: (track) => track.active,
      apply: (track) => track && player.selectAudioTrack(track),
    }),
    text: selection({
      lead: OFF,
      list: () => nameTracks(player.getTextTracks(), (track) => track),
      isSelected: (track) => track.active,
      apply(track) {
        player.selectTextTrack(track);
        if (track) placeCues();
      },
    }),
    stats: () => ({ bitrate: rungs().find((track) => track.active)?.bandwidth ?? null }),
    destroy: () => void player.destroy(),
  };
};

/** Shaka's messages are bare codes in its compiled build; the names of the codes say more. */
function describe(error: shaka.util.Error): string {
  const name = Object.entries(shaka.util.Error.Code).find(([, code]) => code === error.code)?.[0];
  return `${name ?? 'Error'} (${error.code})`;
}
