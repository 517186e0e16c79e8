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

export const create: CreateEngine = (video, listener) => {
  shaka.polyfill.installAll();
  const player = new shaka.Player();
  player.configure(CONFIG);

  function onError(error: shaka.util.Error): void {
    const { CRITICAL } = shaka.util.Error.Severity;
    listener.failed(describe(error), error.severity === CRITICAL);
  }

  player.addEventListener('error', (event: Event & { detail?: shaka.util.Error }) =>
    onError(event.detail!),
  );
  // While it loads, Shaka itself chooses tracks: a choice made then would be lost.
  let loaded = false;
  for (const event of ['trackschanged', 'variantchanged', 'adaptation', 'textchanged', 'audiotrackschanged']) {
    player.addEventListener(event, () => loaded && listener.tracksChanged());
  }

  /** The rungs in the language being heard. */
  function rungs(): shaka.extern.Track[] {
    const active = player.getVariantTracks().find((track) => track.active);
    return player.getVariantTracks().filter((track) => track.audioId === active?.audioId);
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
        if (track) player.selectVariantTrack(track, true);
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
      apply: (track) => player.selectTextTrack(track),
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
