/**
 * One title being played: the `<video>`, the engine that feeds it, and the state they are in.
 * What is drawn around the picture is the stage's business.
 */

import type { Title } from './api';
import { h } from './dom';
import { engineCode } from './engines';
import { AUTO, OFF, type Engine, type Selection } from './engines/engine';
import { measure, type Meter } from './meter';
import type { WatchRoute } from './route';
import { words } from './words';

export type State = 'idle' | 'loading' | 'playing' | 'paused' | 'buffering' | 'ended' | 'failed';

/** What a viewer may choose while watching, by the names the address of the page uses. */
export const CHOICES = ['quality', 'audio', 'text'] as const;
export type Choice = (typeof CHOICES)[number];

export interface PlaybackListener {
  stateChanged(state: State): void;
  tracksChanged(): void;
  /** Nothing more will play; `message` is the engine's own. */
  failed(message: string): void;
  /** The viewer chose; '' stands for the choice that needs no remembering. */
  chose(name: Choice, id: string): void;
}

export class Playback {
  readonly video: HTMLVideoElement;
  readonly meter: Meter;
  state: State = 'idle';
  engine: Engine | null = null;

  /** Choices that came with the address, until the track they name has appeared. */
  private readonly wanted: Map<Choice, string>;
  private lastText: string | undefined;

  constructor(
    private readonly title: Title,
    private readonly route: WatchRoute,
    private readonly listener: PlaybackListener,
    private readonly signal: AbortSignal,
  ) {
    this.video = h('video', { playsinline: true, tabindex: -1, 'aria-label': title.name });
    this.meter = measure(this.video, signal);
    this.wanted = new Map(CHOICES.filter((name) => route[name]).map((name) => [name, route[name]]));
    this.follow('playing', () => 'playing');
    this.follow('waiting', () => 'buffering');
    this.follow('pause', () => (this.video.ended ? 'ended' : 'paused'));
    this.follow('ended', () => 'ended');
  }

  async start(): Promise<void> {
    this.become('loading');
    this.meter.requested();
    try {
      const { create } = await engineCode(this.route.engine);
      if (this.signal.aborted) return;
      this.engine = create(this.video, {
        // Not at once: an engine tells of a change in the midst of it.
        tracksChanged: () => queueMicrotask(() => this.tracksChanged()),
        failed: (message, fatal) => this.failed(message, fatal),
      });
    } catch {
      this.failed(words.codeMissing, true);
      return;
    }
    await this.engine.load(this.title[this.route.format], this.route.t);
    if (!this.signal.aborted) await this.resume();
  }

  toggle(): void {
    if (this.state === 'failed') return;
    if (this.state === 'idle') void this.start();
    else if (this.video.paused) void this.resume();
    else this.video.pause();
  }

  seekBy(seconds: number): void {
    const { video } = this;
    video.currentTime = Math.max(0, Math.min(video.duration || 0, video.currentTime + seconds));
  }

  changeVolume(step: number): void {
    this.video.muted = false;
    this.video.volume = Math.max(0, Math.min(1, this.video.volume + step));
  }

  toggleMute(): void {
    this.video.muted = !this.video.muted;
  }

  /** Subtitles off, or on again in the language they were in. */
  toggleCaptions(): void {
    const text = this.selection('text');
    if (!text) return;
    const current = text.selected();
    const languages = text.options().filter(({ id }) => id !== OFF.id);
    if (current !== OFF.id) this.lastText = current;
    const next = current === OFF.id ? (this.lastText ?? languages[0]?.id) : OFF.id;
    if (next) this.choose('text', next);
  }

  selection(name: Choice): Selection | undefined {
    return { quality: this.engine?.qualities, audio: this.engine?.audio, text: this.engine?.text }[
      name
    ];
  }

  choose(name: Choice, id: string): void {
    this.wanted.delete(name);
    this.selection(name)?.select(id);
    this.listener.chose(name, id === AUTO.id || id === OFF.id ? '' : id);
    this.listener.tracksChanged();
  }

  destroy(): void {
    this.engine?.destroy();
  }

  failed(message: string, fatal: boolean): void {
    if (this.signal.aborted) return;
    this.meter.errors.push(message);
    if (!fatal || this.state === 'failed') return;
    this.become('failed');
    this.listener.failed(message);
  }

  private async resume(): Promise<void> {
    try {
      await this.video.play();
    } catch (error) {
      // Without a gesture on the page browsers refuse sound: wait for the press of Play.
      if ((error as DOMException).name === 'NotAllowedError') this.become('paused');
    }
  }

  private tracksChanged(): void {
    for (const [name, id] of this.wanted) {
      const selection = this.selection(name);
      if (!selection?.options().some((option) => option.id === id)) continue;
      this.wanted.delete(name);
      if (selection.selected() !== id) selection.select(id);
    }
    this.listener.tracksChanged();
  }

  private follow(event: string, next: () => State): void {
    this.video.addEventListener(event, () => this.become(next()), { signal: this.signal });
  }

  private become(state: State): void {
    if (this.state === 'failed') return;
    this.state = state;
    this.listener.stateChanged(state);
  }
}
