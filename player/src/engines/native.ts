import { AUTO, OFF, nameTracks, selection, type CreateEngine } from './engine';

/** What some browsers offer of a stream's audio tracks (HTML, AudioTrackList). */
interface AudioTrackLike {
  enabled: boolean;
  label: string;
  language: string;
}

type VideoWithAudioTracks = HTMLVideoElement & {
  audioTracks?: ArrayLike<AudioTrackLike> & EventTarget;
};

/** The browser's own HLS: it chooses the rung, and tells neither which ones there are nor why. */
export const create: CreateEngine = (video: VideoWithAudioTracks, listener) => {
  const audioTracks = () => Array.from(video.audioTracks ?? []);
  const textTracks = () =>
    Array.from(video.textTracks).filter(({ kind }) => kind === 'subtitles' || kind === 'captions');

  const onError = () => listener.failed(video.error?.message || 'The browser cannot play it', true);
  const onTracks = () => listener.tracksChanged();
  const events = ['addtrack', 'removetrack', 'change'];
  const lists = [video.textTracks, video.audioTracks].filter((list) => list !== undefined);
  video.addEventListener('error', onError);
  for (const list of lists) for (const event of events) list.addEventListener(event, onTracks);

  return {
    async load(url, startAt) {
      video.src = startAt ? `${url}#t=${startAt}` : url;
    },
    qualities: selection({ lead: AUTO, list: () => [], isSelected: () => false, apply: () => {} }),
    audio: selection({
      list: () => nameTracks(audioTracks(), (track) => track),
      isSelected: (track) => track.enabled,
      apply(chosen) {
        for (const track of audioTracks()) track.enabled = track === chosen;
      },
    }),
    text: selection({
      lead: OFF,
      list: () => nameTracks(textTracks(), (track) => track),
      isSelected: (track) => track.mode === 'showing',
      apply(chosen) {
        for (const track of textTracks()) track.mode = track === chosen ? 'showing' : 'disabled';
      },
    }),
    stats: () => ({ bitrate: null }),
    destroy() {
      video.removeEventListener('error', onError);
      for (const list of lists)
        for (const event of events) list.removeEventListener(event, onTracks);
      video.removeAttribute('src');
      video.load();
    },
  };
};
