import { createHash } from 'node:crypto';

/** A third-party program or library that podwire or its image contains. */
export interface Component {
  readonly name: string;
  readonly version: string;
  /** A package URL, by which scanners find vulnerabilities. */
  readonly url: string;
  /** An SPDX expression, if the package has one. */
  readonly license?: string;
  readonly checksum?: { readonly algorithm: 'SHA256' | 'SHA512'; readonly hex: string };
}

/**
 * Makes an SPDX 2.3 document of the components of a program or an image.
 *
 * @param subject the program or image that the document describes
 * @see https://spdx.github.io/spdx-spec/v2.3/
 */
export function spdxDocument(
  subject: Component,
  components: readonly Component[],
  createdAt: string,
): Readonly<Record<string, unknown>> {
  const unique = new Map(components.map((component) => [component.url, component]));
  const sorted = [...unique.values()].toSorted((a, b) => (a.url < b.url ? -1 : 1));
  const packages = [subject, ...sorted].map(spdxPackage);
  const [main, ...contained] = packages.map(({ SPDXID }) => SPDXID);
  const digest = createHash('sha256').update(JSON.stringify(packages)).digest('hex');
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `${subject.name}-${subject.version}`,
    documentNamespace: `urn:podwire:spdx:${digest}`, // depends on the content only, so that two builds have the same
    creationInfo: { created: createdAt, creators: ['Tool: podwire-build-image'] },
    packages,
    relationships: [
      { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: main },
      ...contained.map((id) => ({ spdxElementId: main, relationshipType: 'CONTAINS', relatedSpdxElement: id })),
    ],
  };
}

function spdxPackage({ name, version, url, license, checksum }: Component) {
  return {
    SPDXID: `SPDXRef-${createHash('sha256').update(url).digest('hex').slice(0, 16)}`,
    name,
    versionInfo: version,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: license ?? 'NOASSERTION',
    copyrightText: 'NOASSERTION',
    ...(checksum === undefined ? {} : { checksums: [{ algorithm: checksum.algorithm, checksumValue: checksum.hex }] }),
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: url }],
  };
}
