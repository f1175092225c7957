import { expect, it } from 'vitest';
import { spdxDocument } from '../../../build/image/bill-of-materials.ts';

const SUBJECT = { name: 'subject', version: '1.0.0', url: 'pkg:generic/subject@1.0.0', license: 'Apache-2.0' };
const ZLIB = { name: 'zlib', version: '1.3', url: 'pkg:generic/zlib@1.3' };
const ABACUS = {
  name: 'abacus',
  version: '2.0',
  url: 'pkg:generic/abacus@2.0',
  checksum: { algorithm: 'SHA256', hex: '00ff' },
} as const;
const AT = '1970-01-01T00:00:00Z';

it('the subject comes first and contains each component once', () => {
  const { packages, relationships } = spdxDocument(SUBJECT, [ZLIB, ABACUS, ZLIB], AT);
  expect(packages).toMatchObject([{ name: 'subject' }, { name: 'abacus' }, { name: 'zlib' }]);
  expect(relationships).toMatchObject([
    { relationshipType: 'DESCRIBES' },
    { relationshipType: 'CONTAINS' },
    { relationshipType: 'CONTAINS' },
  ]);
});

it('an unknown license is declared as unknown', () => {
  expect(spdxDocument(SUBJECT, [ZLIB], AT)).toMatchObject({
    packages: [{ licenseDeclared: 'Apache-2.0' }, { licenseDeclared: 'NOASSERTION' }],
  });
});

it('the checksum and the package URL are at the places that scanners read', () => {
  expect(spdxDocument(SUBJECT, [ABACUS], AT)).toMatchObject({
    packages: [
      {},
      {
        checksums: [{ algorithm: 'SHA256', checksumValue: '00ff' }],
        externalRefs: [{ referenceType: 'purl', referenceLocator: 'pkg:generic/abacus@2.0' }],
      },
    ],
  });
});

it('the namespace depends on the components, but not on their order', () => {
  expect(spdxDocument(SUBJECT, [ZLIB, ABACUS], AT)).toEqual(spdxDocument(SUBJECT, [ABACUS, ZLIB], AT));
  const { documentNamespace } = spdxDocument(SUBJECT, [ZLIB], AT);
  expect(spdxDocument(SUBJECT, [ABACUS], AT)['documentNamespace']).not.toBe(documentNamespace);
});
