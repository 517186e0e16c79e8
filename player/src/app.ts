/** The page: a catalogue for people with accounts where the server has those, else its library. */

import { h } from './dom';
import { Refusal } from './http';
import { startListing } from './listing';
import { api, type Status } from './viewer/api';
import { startViewer } from './viewer/app';
import { speak, spoken, words } from './words';

async function start(): Promise<void> {
  try {
    const status = await serverStatus();
    if (status.accounts) await startViewer(status);
    else startListing();
  } catch (error) {
    speak(spoken(navigator.languages));
    showTrouble((error as Error).message);
  }
}

/** A server without accounts may not know the question. */
async function serverStatus(): Promise<Status> {
  try {
    return await api.status();
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== 404) throw error;
    return { accounts: false, sign_up: false };
  }
}

function showTrouble(reason: string): void {
  const retry = h('button', { type: 'button', class: 'button' }, words.tryAgain);
  retry.addEventListener('click', () => location.reload());
  document
    .querySelector('#main')!
    .replaceChildren(
      h(
        'div',
        { class: 'message', role: 'alert' },
        h('h1', {}, words.didNotLoad),
        h('p', {}, reason),
        retry,
      ),
    );
}

void start();
