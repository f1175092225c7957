// npm run render:manifests: renders each overlay of cni-conf, and what goes with it, to one file of
// cni-conf/rendered, with a pinned kustomize.
import { writeFile } from 'node:fs/promises';
import { RENDERED, renderedPath, renderFile } from '../build/render-overlay.ts';
import { runScript } from './command-line/run-script.ts';

const USAGE = `usage: npm run render:manifests

Renders each overlay of cni-conf, and what goes with it, to one file of cni-conf/rendered.
`;

await runScript({ name: 'render:manifests', usage: USAGE, options: {} }, async () => {
  for (const row of RENDERED) {
    await writeFile(renderedPath(row.name), await renderFile(row));
    process.stderr.write(`render-manifests: ${renderedPath(row.name)}\n`);
  }
});
