import { isJsonList, isJsonObject, parseJsonObject, type JsonValue } from '../../src/json/json.ts';
import type { FileResult } from './page.ts';

/**
 * Reads how the tests of each file ended from a report of vitest's json reporter. A test that was skipped counts as failed.
 *
 * @param shorten turns the path of a file into the one that is shown
 */
export function parseFileResults(json: string, shorten: (path: string) => string): ReadonlyMap<string, FileResult> {
  const files = objects(parseJsonObject(json)['testResults'] ?? null);
  return new Map(
    files.flatMap(({ name, assertionResults }) => {
      if (typeof name !== 'string') return [];
      const tests = objects(assertionResults ?? null);
      const passed = tests.filter(({ status }) => status === 'passed').length;
      return [[shorten(name), { passed, failed: tests.length - passed }] as const];
    }),
  );
}

function objects(value: JsonValue): readonly Readonly<Record<string, JsonValue>>[] {
  return isJsonList(value) ? value.filter(isJsonObject) : [];
}
