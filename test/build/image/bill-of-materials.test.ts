import { expect, it } from 'vitest';
import { spdxDocument } from '../../../build/image/bill-of-materials.ts';

const OURS = { name: 'ours', version: '1.0.0', url: 'pkg:generic/ours@1.0.0', license: 'Apache-2.0' };
const ZLIB = { name: 'zlib', version: '1.3', url: 'pkg:generic/zlib@1.3' };
const ABACUS = {
  name: 'abacus',
  version: '2.0',
  url: 'pkg:generic/abacus@2.0',
  checksum: { algorithm: 'SHA256', hex: '00ff' },
} as const;
const AT = '1970-01-01T00:00:00Z';

it('what it describes comes first and contains the rest, each once', () => {
  const { packages, relationships } = spdxDocument(OURS, [ZLIB, ABACUS, ZLIB], AT);
  expect(packages).toMatchObject([{ name: 'ours' }, { name: 'abacus' }, { name: 'zlib' }]);
  expect(relationships).toMatchObject([
    { relationshipType: 'DESCRIBES' },
    { relationshipType: 'CONTAINS' },
    { relationshipType: 'CONTAINS' },
  ]);
});

it('what is not known is said to be unknown', () => {
  expect(spdxDocument(OURS, [ZLIB], AT)).toMatchObject({
    packages: [{ licenseDeclared: 'Apache-2.0' }, { licenseDeclared: 'NOASSERTION' }],
  });
});

it('a checksum and the package URL are where scanners look', () => {
  expect(spdxDocument(OURS, [ABACUS], AT)).toMatchObject({
    packages: [
      {},
      {
        checksums: [{ algorithm: 'SHA256', checksumValue: '00ff' }],
        externalRefs: [{ referenceType: 'purl', referenceLocator: 'pkg:generic/abacus@2.0' }],
      },
    ],
  });
});

it('the order of the components leaves no trace; another component gives another namespace', () => {
  expect(spdxDocument(OURS, [ZLIB, ABACUS], AT)).toEqual(spdxDocument(OURS, [ABACUS, ZLIB], AT));
  const { documentNamespace } = spdxDocument(OURS, [ZLIB], AT);
  expect(spdxDocument(OURS, [ABACUS], AT)['documentNamespace']).not.toBe(documentNamespace);
});
