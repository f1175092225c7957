// Renders each overlay of cni-conf/overlays to one file of cni-conf/rendered, with a pinned kustomize:
//   node scripts/render-manifests.ts
import { writeFile } from 'node:fs/promises';
import { OVERLAYS, renderedPath, renderOverlay } from '../build/render-overlay.ts';

for (const overlay of OVERLAYS) {
  await writeFile(renderedPath(overlay), await renderOverlay(overlay));
  process.stderr.write(`render-manifests: ${renderedPath(overlay)}\n`);
}
