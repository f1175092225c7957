// npm run render:manifests: renders each overlay of cni-conf, and what goes with it, to one file of
// cni-conf/rendered, and the Helm chart from the same overlays and components, with a pinned kustomize.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RENDERED, renderedPath, renderFile } from '../build/render-overlay.ts';
import { CHART, renderChart } from '../build/chart/render-chart.ts';
import { runScript } from './command-line/run-script.ts';

const USAGE = `usage: npm run render:manifests

Renders each overlay of cni-conf, and what goes with it, to one file of cni-conf/rendered, and writes
the files of cni-conf/chart that come from them.
`;

await runScript({ name: 'render:manifests', usage: USAGE, options: {} }, async () => {
  for (const row of RENDERED) {
    await writeFile(renderedPath(row.name), await renderFile(row));
    process.stderr.write(`render-manifests: ${renderedPath(row.name)}\n`);
  }
  for (const [path, text] of Object.entries(await renderChart())) await writeFile(join(CHART, path), text);
  process.stderr.write(`render-manifests: ${CHART}\n`);
});
