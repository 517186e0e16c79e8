import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { defineConfig } from 'vite';

const PAGE = '../origin/control/page';

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
    closeBundle() {
      for (const name of readdirSync(PAGE, { recursive: true })) {
        if (!/\.(js|css|html|svg)$/.test(name)) continue;
        const path = join(PAGE, name);
        const body = readFileSync(path);
        writeFileSync(`${path}.gz`, gzipSync(body, { level: 9 }));
        writeFileSync(`${path}.br`, brotliCompressSync(body));
      }
    },
  };
}
