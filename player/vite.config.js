import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { defineConfig } from 'vite';

const PAGE = '../origin/control/page';
// The best quality saves 8 % more and takes ten times as long.
const QUICK = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };

export default defineConfig({
  base: './',
  build: {
    outDir: PAGE,
    emptyOutDir: true,
    target: 'es2022',
    // Nothing is inlined: the page is served with a policy that allows only its own files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Each engine is one large library, loaded only when it is chosen.
    chunkSizeWarningLimit: 1000,
  },
  plugins: [compressed()],
});

/** A `.br` and a `.gz` beside each text file, for the server to hand out as they are. */
function compressed() {
  return {
    name: 'compressed',
    apply: 'build',
    async closeBundle() {
      const names = await readdir(PAGE, { recursive: true });
      await Promise.all(names.filter((name) => /\.(js|css|html|svg)$/.test(name)).map(compress));
    },
  };
}

async function compress(name) {
  const path = join(PAGE, name);
  const body = await readFile(path);
  await writeFile(`${path}.gz`, await promisify(gzip)(body));
  await writeFile(`${path}.br`, await promisify(brotliCompress)(body, QUICK));
}
