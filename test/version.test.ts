import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseJsonObject } from '../src/json/json.ts';
import { PODWIRE_VERSION } from '../src/version.ts';

it('the version is that of package.json', () => {
  const text = readFileSync(join(import.meta.dirname, '..', 'package.json'), 'utf8');
  expect(PODWIRE_VERSION).toBe(parseJsonObject(text)['version']);
});
