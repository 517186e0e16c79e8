import { MediaPlayer, type MediaInfo } from 'dashjs';
import { AUTO, OFF, nameRungs, nameTracks, selection, type CreateEngine } from './engine';

/**
 * Start on a low rung whatever an earlier visit measured: the line may be another one. With a
 * buffer of one fragment playback begins, and the rest follows.
 */
const SETTINGS = {
  debug: { logLevel: 1 },
  streaming: {
    abr: { initialBitrate: { video: 600 } },
    buffer: { bufferTimeDefault: 30, initialBufferLevel: 0 },
    lastBitrateCachingInfo: { enabled: false },
    lastMediaSettingsCachingInfo: { enabled: false },
    text: { defaultEnabled: false },
    utcSynchronization: { enabled: false },
  },
};

export const create: CreateEngine = (video, listener, sid) => {
  const player = MediaPlayer().create();
  const { events } = MediaPlayer;
  player.initialize();
  player.updateSettings(SETTINGS);
  const mode = 'headers' as unknown as 'header'; // what its code wants, and what its types say
  player.updateSettings({ streaming: { cmcd: { enabled: true, sid, mode } } });
  player.on(events.ERROR, ({ error }) =>
    listener.failed(typeof error === 'string' ? error : error.message, true),
  );
  for (const event of [
    events.STREAM_INITIALIZED,
    events.TEXT_TRACKS_ADDED,
    events.TRACK_CHANGE_RENDERED,
    events.QUALITY_CHANGE_RENDERED,
  ]) {
    player.on(event, () => listener.tracksChanged());
  }

  const automatic = () => player.getSettings().streaming?.abr?.autoSwitchBitrate?.video !== false;
  const rung = () => player.getCurrentRepresentationForType('video');
  const textTracks = () => (player.isReady() ? player.getTracksFor('text') : []);

  return {
    async load(url, startAt) {
      player.setAutoPlay(false);
      player.attachView(video);
      player.attachSource(url, startAt);
    },
    qualities: selection({
      lead: AUTO,
      list: () =>
        nameRungs(player.isReady() ? player.getRepresentationsByType('video') : [], (item) => ({
          height: item.height,
          bitrate: item.bandwidth,
        })),
      isSelected: (item) => !automatic() && item.id === rung()?.id,
      apply(item) {
        player.updateSettings({
          streaming: { abr: { autoSwitchBitrate: { video: item === null } } },
        });
        if (item) player.setRepresentationForTypeById('video', item.id, true);
      },
    }),
    audio: selection({
      list: () => nameTracks(player.isReady() ? player.getTracksFor('audio') : [], spoken),
      isSelected: (track) => track.index === player.getCurrentTrackFor('audio')?.index,
      apply: (track) => track && player.setCurrentTrack(track),
    }),
    text: selection({
      lead: OFF,
      list: () => nameTracks(textTracks(), spoken),
      isSelected: (track) => track === textTracks()[player.getCurrentTextTrackIndex()],
      apply: (track) => player.setTextTrack(track ? textTracks().indexOf(track) : -1),
    }),
    stats: () => ({ bitrate: (player.isReady() && rung()?.bandwidth) || null }),
    destroy: () => player.destroy(),
  };
};

function spoken({ lang, labels }: MediaInfo): {
  language: string | null;
  label?: string | undefined;
} {
  return { language: lang, label: labels[0]?.text };
}
