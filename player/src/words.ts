/**
 * What the page says, in each language it speaks. `words` is bound anew by `speak`; read it where
 * something is drawn, never once for all.
 */

export type Language = 'en' | 'es';

export const LANGUAGES: readonly { id: Language; name: string }[] = [
  { id: 'en', name: 'English' },
  { id: 'es', name: 'Español' },
];

const en = {
  // The frame
  skip: 'Skip to content',
  home: 'Home',
  movies: 'Movies',
  series: 'Series',
  myList: 'My list',
  mainMenu: 'Sections',
  language: 'Language',
  loading: 'Loading…',
  tryAgain: 'Try again',
  back: 'Back',
  cancel: 'Cancel',
  close: 'Close',
  save: 'Save',
  notFound: 'There is nothing at this address',
  goHome: 'Go to the home page',
  didNotLoad: 'This did not load',

  // Signing in
  signIn: 'Sign in',
  signUp: 'Create an account',
  signOut: 'Sign out',
  signedOut: 'You have signed out.',
  signInAgain: 'Please sign in again to go on.',
  welcome: 'Films and series, as they were made',
  email: 'E-mail',
  password: 'Password',
  newPassword: 'New password',
  currentPassword: 'Current password',
  passwordHint: 'At least 10 characters. A short sentence is easy to remember.',
  yourName: 'Your name',
  noAccount: 'New here?',
  haveAccount: 'Have an account?',

  // Profiles
  whoWatches: 'Who is watching?',
  manageProfiles: 'Manage profiles',
  done: 'Done',
  addProfile: 'Add a profile',
  editProfile: (name: string) => `Edit ${name}`,
  deleteProfile: 'Delete this profile',
  deleteProfileSure: (name: string) =>
    `Delete ${name}? Its list and the places where it stopped are lost.`,
  profileName: 'Name',
  colour: 'Colour',
  colourNumber: (number: number) => `Colour ${number}`,
  kids: 'For children: only titles for their age',
  profileMenu: (name: string) => `Profile: ${name}`,
  account: 'Account',
  plan: 'Plan',
  streams: (count: number) => (count === 1 ? '1 device at a time' : `${count} devices at a time`),
  changePassword: 'Change password',
  passwordChanged: 'The password has been changed.',

  // Titles
  play: 'Play',
  resume: 'Resume',
  moreInfo: 'More about it',
  addToList: 'Add to my list',
  inList: 'In my list',
  addedToList: (name: string) => `${name} is in your list.`,
  removedFromList: (name: string) => `${name} is no longer in your list.`,
  audio: 'Audio',
  subtitles: 'Subtitles',
  genres: 'Genres',
  noSubtitles: 'none',
  season: (number: number) => `Season ${number}`,
  episode: (season: number, episode: number) => `S${season} E${episode}`,
  watched: (percent: number) => `${percent} % watched`,
  maturity: (age: string) => (age === '0' ? 'All ages' : `${age}+`),
  notInPlan: 'Your plan does not include this title.',
  scrollBack: 'Scroll back',
  scrollOn: 'Scroll on',
  nothingYet: 'Nothing here yet',
  emptyList: 'Titles that you add to your list appear here.',
  emptyCatalogue: 'No title has been published yet.',
  playTitle: (name: string) => `Play ${name}`,
  genre: (id: string): string | undefined => GENRES.en[id],

  // Search
  search: 'Search',
  searchFor: (text: string) => `Results for “${text}”`,
  found: (count: number, more: boolean) =>
    count === 1 && !more ? '1 title' : `${count}${more ? '+' : ''} titles`,
  noMatch: (text: string) => `No title matches “${text}”`,
  noMatchHint: 'Try fewer letters, or another word of the name.',

  // Watching
  nextEpisode: 'Next episode',
  upNext: 'Up next',
  playNext: 'Play the next episode',
  playerSettings: 'Player and address of the stream',
  format: 'Format',
  player: 'Player',
  tooManyDevices: 'Too many devices are watching',
  tooManyDevicesHint: (streams: number) =>
    streams === 1
      ? 'Your plan allows one at a time. Stop it there, and try again.'
      : `Your plan allows ${streams} at a time. Stop one of them, and try again.`,
  watchingThere: (title: string, device: string) => `${title} on ${device}`,
  since: (time: string) => `since ${time}`,
  stopped: 'Playback was stopped',
  revoked: 'It was ended from elsewhere: by somebody with your account, or by the service.',
  ended: 'It had paused for too long. You can go on where you were.',
  continueHere: 'Continue watching',

  // The stage
  keys: (name: string, key: string) => `${name} (${key})`,
  space: 'space',
  pause: 'Pause',
  playAgain: 'Play again',
  mute: 'Mute',
  unmute: 'Unmute',
  figures: 'Playback figures',
  fullScreen: 'Full screen',
  seek: 'Seek',
  volume: 'Volume',
  quality: 'Quality',
  automatic: 'Auto',
  off: 'Off',
  unknownLanguage: 'Unknown language',
  startUp: 'Start-up',
  picture: 'Picture',
  bitrate: 'Bitrate',
  bufferAhead: 'Buffer ahead',
  droppedFrames: 'Dropped frames',
  droppedOf: (dropped: number, total: number) => `${dropped} of ${total}`,
  stalls: 'Stalls',
  errors: 'Errors',
  cannotPlay: 'This title cannot be played',
  engineStopped: (engine: string, message: string) => `${engine} stopped: ${message}.`,
  codeMissing: 'The code of the player did not load',
  tryAnother:
    'Try another player below, or reload this page. If none plays it, this browser lacks the codec.',

  // What can go wrong
  answered: (status: string) => `The server answered ${status}`,
  unreachable: 'The server does not answer. Check that vod-origin is running, and try again.',
  tryLater: 'Reload this page. If it stays so, the log of vod-origin says more.',
  mendTheFile:
    'Correct or replace the file in the library, then reload this page. ' +
    'The command “vod-origin check” says more about it.',
  problem: (code: string): string | undefined => PROBLEMS.en[code],
};

export type Words = typeof en;

const es: Words = {
  skip: 'Ir al contenido',
  home: 'Inicio',
  movies: 'Películas',
  series: 'Series',
  myList: 'Mi lista',
  mainMenu: 'Secciones',
  language: 'Idioma',
  loading: 'Cargando…',
  tryAgain: 'Reintentar',
  back: 'Volver',
  cancel: 'Cancelar',
  close: 'Cerrar',
  save: 'Guardar',
  notFound: 'No hay nada en esta dirección',
  goHome: 'Ir al inicio',
  didNotLoad: 'No se ha podido cargar',

  signIn: 'Iniciar sesión',
  signUp: 'Crear una cuenta',
  signOut: 'Cerrar sesión',
  signedOut: 'Has cerrado la sesión.',
  signInAgain: 'Vuelve a iniciar sesión para continuar.',
  welcome: 'Películas y series, tal como se hicieron',
  email: 'Correo electrónico',
  password: 'Contraseña',
  newPassword: 'Contraseña nueva',
  currentPassword: 'Contraseña actual',
  passwordHint: 'Diez caracteres o más. Una frase corta se recuerda bien.',
  yourName: 'Tu nombre',
  noAccount: '¿Es tu primera vez?',
  haveAccount: '¿Ya tienes cuenta?',

  whoWatches: '¿Quién está viendo?',
  manageProfiles: 'Gestionar perfiles',
  done: 'Listo',
  addProfile: 'Añadir un perfil',
  editProfile: (name) => `Editar ${name}`,
  deleteProfile: 'Eliminar este perfil',
  deleteProfileSure: (name) =>
    `¿Eliminar ${name}? Se pierden su lista y los puntos donde se quedó.`,
  profileName: 'Nombre',
  colour: 'Color',
  colourNumber: (number) => `Color ${number}`,
  kids: 'Infantil: solo títulos para su edad',
  profileMenu: (name) => `Perfil: ${name}`,
  account: 'Cuenta',
  plan: 'Plan',
  streams: (count) => (count === 1 ? '1 dispositivo a la vez' : `${count} dispositivos a la vez`),
  changePassword: 'Cambiar la contraseña',
  passwordChanged: 'La contraseña se ha cambiado.',

  play: 'Reproducir',
  resume: 'Continuar',
  moreInfo: 'Más información',
  addToList: 'Añadir a mi lista',
  inList: 'En mi lista',
  addedToList: (name) => `${name} está en tu lista.`,
  removedFromList: (name) => `${name} ya no está en tu lista.`,
  audio: 'Audio',
  subtitles: 'Subtítulos',
  genres: 'Géneros',
  noSubtitles: 'ninguno',
  season: (number) => `Temporada ${number}`,
  episode: (season, episode) => `T${season} E${episode}`,
  watched: (percent) => `${percent} % visto`,
  maturity: (age) => (age === '0' ? 'Para todos' : `+${age}`),
  notInPlan: 'Tu plan no incluye este título.',
  scrollBack: 'Desplazar atrás',
  scrollOn: 'Desplazar adelante',
  nothingYet: 'Aquí no hay nada todavía',
  emptyList: 'Los títulos que añadas a tu lista aparecerán aquí.',
  emptyCatalogue: 'Todavía no se ha publicado ningún título.',
  playTitle: (name) => `Reproducir ${name}`,
  genre: (id) => GENRES.es[id],

  search: 'Buscar',
  searchFor: (text) => `Resultados de «${text}»`,
  found: (count, more) =>
    count === 1 && !more ? '1 título' : `${count}${more ? '+' : ''} títulos`,
  noMatch: (text) => `Ningún título coincide con «${text}»`,
  noMatchHint: 'Prueba con menos letras o con otra palabra del título.',

  nextEpisode: 'Episodio siguiente',
  upNext: 'A continuación',
  playNext: 'Reproducir el episodio siguiente',
  playerSettings: 'Reproductor y dirección de la señal',
  format: 'Formato',
  player: 'Reproductor',
  tooManyDevices: 'Hay demasiados dispositivos en uso',
  tooManyDevicesHint: (streams) =>
    streams === 1
      ? 'Tu plan permite uno a la vez. Detenlo allí y vuelve a intentarlo.'
      : `Tu plan permite ${streams} a la vez. Detén uno y vuelve a intentarlo.`,
  watchingThere: (title, device) => `${title} en ${device}`,
  since: (time) => `desde las ${time}`,
  stopped: 'La reproducción se ha detenido',
  revoked: 'La ha terminado otra persona con tu cuenta, o el servicio.',
  ended: 'Llevaba demasiado tiempo en pausa. Puedes seguir donde estabas.',
  continueHere: 'Seguir viendo',

  keys: (name, key) => `${name} (${key})`,
  space: 'espacio',
  pause: 'Pausa',
  playAgain: 'Repetir',
  mute: 'Silenciar',
  unmute: 'Activar el sonido',
  figures: 'Datos de reproducción',
  fullScreen: 'Pantalla completa',
  seek: 'Posición',
  volume: 'Volumen',
  quality: 'Calidad',
  automatic: 'Automática',
  off: 'No',
  unknownLanguage: 'Idioma desconocido',
  startUp: 'Arranque',
  picture: 'Imagen',
  bitrate: 'Tasa de bits',
  bufferAhead: 'Búfer',
  droppedFrames: 'Cuadros perdidos',
  droppedOf: (dropped, total) => `${dropped} de ${total}`,
  stalls: 'Paradas',
  errors: 'Errores',
  cannotPlay: 'Este título no se puede reproducir',
  engineStopped: (engine, message) => `${engine} se ha detenido: ${message}.`,
  codeMissing: 'El código del reproductor no se ha cargado',
  tryAnother:
    'Prueba otro reproductor más abajo o recarga la página. Si ninguno funciona, a este navegador le falta el códec.',

  answered: (status) => `El servidor ha respondido ${status}`,
  unreachable: 'El servidor no responde. Comprueba que vod-origin está en marcha y reinténtalo.',
  tryLater: 'Recarga la página. Si sigue igual, el registro de vod-origin dice más.',
  mendTheFile:
    'Corrige o sustituye el archivo en la biblioteca y recarga la página. ' +
    'La orden «vod-origin check» dice más sobre él.',
  problem: (code) => PROBLEMS.es[code],
};

const GENRES: Record<Language, Record<string, string>> = {
  en: {},
  es: {
    action: 'acción',
    adventure: 'aventura',
    animation: 'animación',
    comedy: 'comedia',
    crime: 'crimen',
    documentary: 'documental',
    family: 'familiar',
    fantasy: 'fantasía',
    history: 'historia',
    horror: 'terror',
    music: 'música',
    mystery: 'misterio',
    nature: 'naturaleza',
    romance: 'romance',
    'science-fiction': 'ciencia ficción',
    sport: 'deporte',
    thriller: 'suspense',
    war: 'bélico',
  },
};

/** Refusals by their `code`, where we can say it better than the server's `detail`. */
const PROBLEMS: Record<Language, Record<string, string>> = {
  en: {
    'wrong-credentials': 'That e-mail and that password do not belong together.',
    taken: 'There is one with that e-mail or name already.',
    'too-many-profiles': 'An account has at most eight profiles.',
    'weak-password': 'Choose a longer or less common password.',
    'too-many-requests': 'Too many attempts. Wait a little, and try again.',
    'not-entitled': 'Your plan does not include this title.',
    'not-available': 'This title is not available now, or not where you are.',
    'store-away': 'The service is catching its breath. Try again in a moment.',
    'database-away': 'The service is catching its breath. Try again in a moment.',
  },
  es: {
    'wrong-credentials': 'Ese correo y esa contraseña no se corresponden.',
    taken: 'Ya hay una cuenta o un perfil con ese correo o nombre.',
    'too-many-profiles': 'Una cuenta tiene como mucho ocho perfiles.',
    'weak-password': 'Elige una contraseña más larga o menos común.',
    'too-many-requests': 'Demasiados intentos. Espera un poco y vuelve a probar.',
    'not-entitled': 'Tu plan no incluye este título.',
    'not-available': 'Este título no está disponible ahora o en tu país.',
    'store-away': 'El servicio necesita un respiro. Inténtalo en un momento.',
    'database-away': 'El servicio necesita un respiro. Inténtalo en un momento.',
  },
};

const ALL: Record<Language, Words> = { en, es };

export let language: Language = 'en';
export let words: Words = en;

export function speak(next: Language): void {
  language = next;
  words = ALL[next];
  document.documentElement.lang = next;
}

/** The first of `tags` (BCP 47) that the page speaks; else English. */
export function spoken(tags: readonly (string | null | undefined)[]): Language {
  for (const tag of tags) {
    const found = LANGUAGES.find(({ id }) => tag?.toLowerCase().split('-')[0] === id);
    if (found) return found.id;
  }
  return 'en';
}
