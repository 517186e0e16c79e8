/** The engines a viewer may choose from. Each one's code is a chunk of its own. */

import { told } from './cmcd';
import type { CreateEngine, Engine, EngineListener } from './engine';

export type Format = 'hls' | 'dash';
export type EngineId = 'hls.js' | 'shaka' | 'dash.js' | 'native';

interface EngineKind {
  id: EngineId;
  label: string;
  formats: readonly Format[];
  code: () => Promise<{ create: CreateEngine }>;
}

const ALL: readonly EngineKind[] = [
  { id: 'hls.js', label: 'hls.js', formats: ['hls'], code: () => import('./hlsjs') },
  { id: 'shaka', label: 'Shaka Player', formats: ['hls', 'dash'], code: () => import('./shaka') },
  { id: 'dash.js', label: 'dash.js', formats: ['dash'], code: () => import('./dashjs') },
  { id: 'native', label: 'Browser', formats: ['hls'], code: () => import('./native') },
];

const ENGINES = ALL.filter(works);

export function enginesFor(format: Format): EngineKind[] {
  return ENGINES.filter((kind) => kind.formats.includes(format));
}

/** Fetch an engine's code ahead of the press of Play; should that fail, the press will tell. */
export function prefetch(id: EngineId): void {
  engineCode(id).catch(() => {});
}

type Create = (video: HTMLVideoElement, listener: EngineListener) => Engine;

/** For a viewer who wishes to play now: how long it takes until they see something is told. */
export async function engineCode(id: EngineId): Promise<{ create: Create }> {
  const wantedAt = performance.now();
  const { create } = await ENGINES.find((kind) => kind.id === id)!.code();
  return { create: (video, listener) => told(create, video, listener, wantedAt) };
}

/** Browsers with Media Source Extensions run the libraries; some also play HLS by themselves. */
function works(kind: EngineKind): boolean {
  if (kind.id !== 'native') return 'MediaSource' in window || 'ManagedMediaSource' in window;
  return document.createElement('video').canPlayType('application/vnd.apple.mpegurl') !== '';
}
