import { isJsonList, isJsonObject, parseJson, type JsonObject, type JsonValue } from '../../src/json/json.ts';

const STATES = ['passed', 'failed', 'not run'] as const;
type SpecState = (typeof STATES)[number];

/** One spec of Kubernetes that was selected. */
export interface SpecResult {
  readonly name: string;
  readonly group: 'conformance' | 'network policy';
  readonly state: SpecState;
  /** Empty for one that passed. */
  readonly failure: string;
}

/** Reads the specs that were run from ginkgo's JSON report. An interrupted one counts as not run. */
export function parseSpecReport(text: string): readonly SpecResult[] {
  return list(parseJson(text))
    .flatMap((suite) => list(suite['SpecReports'] ?? null))
    .filter((spec) => spec['LeafNodeType'] === 'It' && spec['State'] !== 'skipped')
    .map((spec): SpecResult => {
      const texts = [...textsOf(spec['ContainerHierarchyTexts']), ...textsOf([spec['LeafNodeText'] ?? ''])];
      const name = texts.join(' ').replace(/^\[sig-network\] /, '');
      const failure = spec['Failure'];
      return {
        name,
        group: name.includes('NetworkPolicy') ? 'network policy' : 'conformance',
        state: stateOf(spec['State']),
        failure:
          isJsonObject(failure) && typeof failure['Message'] === 'string' ? failure['Message'].slice(0, 600) : '',
      };
    })
    .toSorted((one, other) => one.name.localeCompare(other.name));
}

/** Reads what {@link parseSpecReport} returned and a test has stored. */
export function parseStoredSpecs(text: string): readonly SpecResult[] {
  return list(parseJson(text)).flatMap(({ name, group, state, failure }): readonly SpecResult[] => {
    if (typeof name !== 'string' || typeof failure !== 'string') return [];
    return [
      {
        name,
        group: group === 'network policy' ? group : 'conformance',
        state: STATES.find((known) => known === state) ?? 'failed',
        failure,
      },
    ];
  });
}

/** The results of all specs that were selected: those of a run that was cut short lack the last ones. */
export function completeResults(
  selected: readonly SpecResult[],
  results: readonly SpecResult[],
): readonly SpecResult[] {
  const byName = new Map(results.map((result) => [result.name, result]));
  return selected.map((spec) => byName.get(spec.name) ?? { ...spec, state: 'not run', failure: '' });
}

function stateOf(state: JsonValue | undefined): SpecState {
  if (state === 'passed') return 'passed';
  return state === 'interrupted' || state === 'aborted' ? 'not run' : 'failed';
}

function list(value: JsonValue): readonly JsonObject[] {
  return isJsonList(value) ? value.filter(isJsonObject) : [];
}

function textsOf(value: JsonValue | undefined): readonly string[] {
  return isJsonList(value ?? null) && Array.isArray(value) ? value.filter((text) => typeof text === 'string') : [];
}
