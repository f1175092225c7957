import { expect, it } from 'vitest';
import { CONFIGURATION_PAGE, withKeyTables } from '../../../scripts/configuration/configuration-page.ts';
import { KEYS_OF_RUNTIME, KEYS_WITH_VARIABLES, SECTIONS } from '../../../scripts/configuration/keys.ts';
import { isAccepted, keysThatAreRead, typeOf } from '../../../scripts/configuration/schema.ts';
import { parseJson } from '../../../src/json/json.ts';
import { readPage } from '../../docs/tracked-pages.ts';

const PAGE = readPage(CONFIGURATION_PAGE);
const KEYS = Object.values(SECTIONS).flat();

it('the page has the tables as they are; if not, run npm run docs:configuration', () =>
  expect(PAGE).toBe(withKeyTables(PAGE)));

it('describes every key that the parser reads, and no other', () => {
  const described = [...KEYS.map(({ key }) => key), ...KEYS_WITH_VARIABLES, ...KEYS_OF_RUNTIME];
  const members = ['dns.domain', 'dns.nameservers', 'dns.options', 'dns.search'];
  expect([...described, ...members].toSorted()).toEqual(keysThatAreRead());
});

it.each(KEYS.map(({ key, example }) => [key, example] as const))(
  'the parser accepts the example of %s: %s',
  (key, example) => expect(isAccepted(key, parseJson(example))).toBe(true),
);

it('the type is what the parser expects', () => {
  expect(typeOf('mtu')).toBe('a whole number from 68 to 65535');
  expect(typeOf('readiness_gates')).toBe('an http:// or https:// URL');
});

it('keys that have a variable, too, are in the table of the API server', () =>
  expect(KEYS_WITH_VARIABLES.filter((key) => !PAGE.includes(`\`${key}\``))).toEqual([]));

it('a page without markers is an error', () =>
  expect(() => withKeyTables('# Configuration')).toThrow('lacks the markers of network'));
