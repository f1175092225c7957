import { describe, expect, it } from 'vitest';
import { formatTemplates } from '../../../build/chart/chart-templates.ts';

const configMap = (data: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'other' },
  data: { data },
});

describe('a template', () => {
  it('of an object without changeable values is the object', () =>
    expect(formatTemplates([{ object: configMap('a'), condition: undefined }])).toBe(
      '---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: other\ndata:\n  data: a\n',
    ));

  it('keeps braces of the object', () =>
    expect(formatTemplates([{ object: configMap('{{ a }}'), condition: undefined }])).toContain(
      'data: "{{ "{{" }} a }}"',
    ));

  it('has its condition around it', () =>
    expect(formatTemplates([{ object: configMap('a'), condition: 'eq 1 1' }])).toMatch(
      /^\{\{- if eq 1 1 \}\}\n---\n[^]*\{\{- end \}\}\n$/,
    ));

  it('of an object without the place of a value is an error', () => {
    const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'podwire-typha' }, spec: {} };
    expect(() => formatTemplates([{ object, condition: undefined }])).toThrow('nothing at spec.replicas');
  });
});
