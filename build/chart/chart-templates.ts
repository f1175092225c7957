import { stringify } from 'yaml';
import { nameOf, replaceAt, type Mutable } from './manifest-objects.ts';

/** An object of the chart, and the condition under which it is there (of Go's templates; undefined: always). */
export interface ChartObject {
  readonly object: Mutable;
  readonly condition: string | undefined;
}

/** What a place of an object becomes: an expression of Go's templates, whose value is text, a number or a block of YAML. */
interface Placeholder {
  readonly path: readonly string[];
  readonly expression: string;
  readonly as: 'text' | 'number' | 'block';
}

const POD = ['spec', 'template', 'spec'] as const;
const text = (expression: string, ...path: readonly string[]): Placeholder => ({ path, expression, as: 'text' });
const block = (expression: string, ...path: readonly string[]): Placeholder => ({ path, expression, as: 'block' });

/** What users of the chart can change in which object. Each place must exist. */
const PLACEHOLDERS: Readonly<Record<string, readonly Placeholder[]>> = {
  'DaemonSet podwire': [
    ...[
      { container: ['initContainers', 'install'], variables: 'podwire.env' },
      { container: ['containers', 'token'], variables: 'podwire.tokenEnv' },
    ].flatMap(({ container, variables }) => [
      text('include "podwire.image" .', ...POD, ...container, 'image'),
      text('.Values.image.pullPolicy', ...POD, ...container, 'imagePullPolicy'),
      block(`include "${variables}" .`, ...POD, ...container, 'env'),
      block('toYaml .Values.resources', ...POD, ...container, 'resources'),
    ]),
    text('include "podwire.programs" .', ...POD, 'volumes', 'programs', 'hostPath', 'path'),
    text('include "podwire.configs" .', ...POD, 'volumes', 'configs', 'hostPath', 'path'),
    text('include "podwire.networkName" .', ...POD, 'volumes', 'template', 'configMap', 'name'),
  ],
  'ConfigMap podwire-network': [
    text('include "podwire.networkName" .', 'metadata', 'name'),
    block('include "podwire.networkData" . | fromJson | toYaml', 'data'),
  ],
  'DaemonSet podwire-agent': [block('include "podwire.agentEnv" .', ...POD, 'containers', 'calico-node', 'env')],
  'Deployment podwire-typha': [{ path: ['spec', 'replicas'], expression: '.Values.typha.replicas', as: 'number' }],
  'DaemonSet podwire-masquerade': [
    text('include "podwire.masqueradeName" .', ...POD, 'volumes', 'files', 'configMap', 'name'),
  ],
  'ConfigMap podwire-masquerade': [
    text('include "podwire.masqueradeName" .', 'metadata', 'name'),
    block('include "podwire.masqueradeData" . | fromJson | toYaml', 'data'),
  ],
  'IPPool podwire-ipv4': [
    text('$network', 'spec', 'cidr'),
    text('printf "podwire-ipv4%s" $suffix', 'metadata', 'name'),
  ],
  'IPPool podwire-ipv6': [
    text('$network', 'spec', 'cidr'),
    text('printf "podwire-ipv6%s" $suffix', 'metadata', 'name'),
  ],
};

/** Formats objects as one file of templates. */
export function formatTemplates(objects: readonly ChartObject[]): string {
  return objects.map(({ object, condition }) => formatTemplate(structuredClone(object), condition)).join('');
}

function formatTemplate(object: Mutable, condition: string | undefined): string {
  const placeholders = PLACEHOLDERS[nameOf(object)] ?? [];
  for (const [index, { path }] of placeholders.entries()) replaceAt(object, path, markOf(index));
  const yaml = stringify(object, { lineWidth: 0 }).replaceAll('{{', '{{ "{{" }}');
  const filled = yaml.replaceAll(/^( *)(.*: )placeholder-(\d+)$/gm, (_, indent: string, key: string, index: string) => {
    const { expression = '', as = 'text' } = placeholders[Number(index)] ?? {};
    const inner = indent.length + (key.startsWith('- ') ? 4 : 2);
    if (as !== 'block') return `${indent}${key}{{ ${expression}${as === 'text' ? ' | quote' : ''} }}`;
    return `${indent}${key.trimEnd()}\n{{ ${expression} | indent ${inner} }}`;
  });
  const document = `---\n${filled}`;
  return condition === undefined ? document : `{{- if ${condition} }}\n${document}{{- end }}\n`;
}

function markOf(index: number): string {
  return `placeholder-${index}`;
}
