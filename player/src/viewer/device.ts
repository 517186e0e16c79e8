/** What this browser is called where an account's devices are listed: `Chrome · Linux`. */

const BROWSERS: [RegExp, string][] = [
  [/Edg\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/Firefox\//, 'Firefox'],
  [/Chrom(e|ium)\//, 'Chrome'],
  [/Safari\//, 'Safari'],
];
const SYSTEMS: [RegExp, string][] = [
  [/Android/, 'Android'],
  [/iPhone|iPad/, 'iOS'],
  [/Windows/, 'Windows'],
  [/Mac OS/, 'macOS'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/, 'Linux'],
];

export function deviceName(): string {
  const { userAgent } = navigator;
  const known = (list: [RegExp, string][]) => list.find(([sign]) => sign.test(userAgent))?.[1];
  return [known(BROWSERS) ?? 'Browser', known(SYSTEMS)].filter(Boolean).join(' · ');
}
