// npm run render:manifests: renders each overlay of cni-conf/overlays to one file of cni-conf/rendered, with a pinned
// kustomize.
import { writeFile } from 'node:fs/promises';
import { OVERLAYS, renderedPath, renderOverlay } from '../build/render-overlay.ts';
import { runScript } from './command-line/run-script.ts';

const USAGE = `usage: npm run render:manifests

Renders each overlay of cni-conf/overlays to one file of cni-conf/rendered.
`;

await runScript({ name: 'render:manifests', usage: USAGE, options: {} }, async () => {
  for (const overlay of OVERLAYS) {
    await writeFile(renderedPath(overlay), await renderOverlay(overlay));
    process.stderr.write(`render-manifests: ${renderedPath(overlay)}\n`);
  }
});
