import { posix } from 'node:path';

/** What imports what below src/: the key is a folder, or one of the files directly in src/. */
export type ImportGraph = ReadonlyMap<string, ReadonlyMap<string, 'values' | 'types'>>;

/**
 * Reads the imports of source files. Left out: cni/error.ts, which every folder may import, and files directly in src/ that import nothing
 * of other folders (a version number, a trace).
 *
 * @param sources texts by path, such as `src/cni/error.ts`
 */
export function readImportGraph(sources: ReadonlyMap<string, string>): ImportGraph {
  const graph = new Map<string, Map<string, 'values' | 'types'>>();
  for (const [path, text] of sources) {
    const from = placeOf(path);
    const arrows = graph.get(from) ?? new Map<string, 'values' | 'types'>();
    graph.set(from, arrows);
    for (const [, types, imported = ''] of text.matchAll(IMPORT)) {
      const target = posix.join(posix.dirname(path), imported);
      const to = placeOf(target);
      if (to === from || target === 'src/cni/error.ts') continue;
      if (arrows.get(to) !== 'values') arrows.set(to, types === undefined ? 'values' : 'types');
    }
  }
  const leaves = [...graph].filter(([place, arrows]) => place.endsWith('.ts') && arrows.size === 0);
  for (const [leaf] of leaves) {
    graph.delete(leaf);
    for (const arrows of graph.values()) arrows.delete(leaf);
  }
  return graph;
}

// `import … from './a.ts'` or `import('./a.ts')`.
const IMPORT = /\bimport(?: (type )?[^;'"]*?from |\()'(\.[^']+)'/g;

function placeOf(path: string): string {
  const [, first = '', ...rest] = path.split('/');
  return rest.length === 0 ? first : `${first}/`;
}

/**
 * The arrows that a drawing needs: an arrow to what is reached through another folder anyway is left out. The graph must have no cycle.
 */
export function withoutDetours(graph: ImportGraph): ImportGraph {
  const reaches = (from: string, to: string): boolean =>
    [...(graph.get(from)?.keys() ?? [])].some((next) => next === to || reaches(next, to));
  return new Map(
    [...graph].map(([place, arrows]) => {
      const isDetour = (to: string) => [...arrows.keys()].some((via) => via !== to && reaches(via, to));
      return [place, new Map([...arrows].filter(([to]) => !isDetour(to)))];
    }),
  );
}
