import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readImportGraph, withoutDetours, type ImportGraph } from './import-graph.ts';

const REPOSITORY = join(import.meta.dirname, '../..');

/** The page that has the drawing, from the repository on. */
export const ARCHITECTURE_PAGE = 'docs/architecture.md';

const BEGIN = '<!-- begin: written by npm run docs:architecture -->';
const END = '<!-- end -->';

/** The imports of src/ as they are. */
export async function readSourceGraph(): Promise<ImportGraph> {
  const names = await readdir(join(REPOSITORY, 'src'), { recursive: true });
  const paths = names.filter((name) => name.endsWith('.ts')).map((name) => `src/${name}`);
  const sources = paths.toSorted().map(async (path) => [path, await readFile(join(REPOSITORY, path), 'utf8')] as const);
  return readImportGraph(new Map(await Promise.all(sources)));
}

/**
 * Replaces what is between the two markers of the page by a drawing and a table of the imports.
 *
 * @throws {Error} if the page lacks the markers
 */
export function withDrawing(page: string, graph: ImportGraph): string {
  const [before, rest] = page.split(`${BEGIN}\n`);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`the page lacks "${BEGIN}" or "${END}"`);
  return `${before}${BEGIN}\n\n${formatFlowchart(withoutDetours(graph))}\n\n${formatTable(graph)}\n\n${END}${after}`;
}

function formatFlowchart(graph: ImportGraph): string {
  const nodes = [...graph.keys()].toSorted().map((place) => `  ${nodeOf(place)}["${place}"]`);
  const arrows = [...graph]
    .toSorted(byPlace)
    .flatMap(([from, targets]) =>
      [...targets]
        .toSorted(byPlace)
        .map(([to, what]) => `  ${nodeOf(from)} ${what === 'types' ? '-.->' : '-->'} ${nodeOf(to)}`),
    );
  return ['```mermaid', 'flowchart TD', ...nodes, ...arrows, '```'].join('\n');
}

function formatTable(graph: ImportGraph): string {
  const listed = (targets: ReadonlyMap<string, string>, what: string) =>
    [...targets]
      .toSorted(byPlace)
      .flatMap(([to, kind]) => (kind === what ? [`\`${to}\``] : []))
      .join(' ');
  const rows = [...graph]
    .toSorted(byPlace)
    .map(([from, targets]) => `| \`${from}\` | ${listed(targets, 'values')} | ${listed(targets, 'types')} |`);
  return ['| part | imports | imports only types of |', '| --- | --- | --- |', ...rows].join('\n');
}

function nodeOf(place: string): string {
  return place.replace(/\.ts$|\/$/, '');
}

function byPlace([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1;
}
