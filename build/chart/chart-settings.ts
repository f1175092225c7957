import { nameOf, valueAt, type Mutable } from './manifest-objects.ts';

/** The value of an environment variable, as a container has it: `{ value }` or `{ valueFrom }`. */
type Variables = Readonly<Record<string, Mutable>>;

/** What the choices of a chart's user change: the file `files/settings.yaml` of the chart. */
export interface ChartSettings {
  /** The variables of podwire's containers by installation, and what other choices add to them. */
  readonly podwire: Choices;
  /** The same for the agent. Address families matter to the agent of bgp only. */
  readonly agent: Choices;
  /** The folders of the node by platform. */
  readonly folders: Readonly<Record<string, Readonly<Record<'programs' | 'configs', Mutable>>>>;
}

interface Choices {
  readonly installation: Readonly<Record<string, Variables>>;
  readonly addressFamilies: Readonly<Record<string, Variables>>;
  readonly platform: Readonly<Record<string, Variables>>;
  readonly cniVersion: Readonly<Record<string, Variables>>;
  readonly typha: Variables;
  /** Of the container that renews the token only. */
  readonly gc: Variables;
}

/** The rendered objects of an installation, alone and with each of some components. */
export interface RenderedChoices {
  readonly installations: Readonly<Record<string, readonly Mutable[]>>;
  /** Each component with the installation bgp, which has an agent. */
  readonly components: Readonly<Record<string, readonly Mutable[]>>;
}

/** The values of `addressFamilies`, joined with a comma, and the component of each. */
const FAMILIES = { IPv4: undefined, 'IPv4,IPv6': 'dual-stack', IPv6: 'ipv6-only' } as const;
const CNI_VERSIONS = { '1.1.0': undefined, '1.0.0': 'cni-1.0' } as const;
/** The values of `platform`, each with a component of this name. */
export const PLATFORMS = ['crio', 'eks', 'gke', 'k3s', 'microk8s', 'minikube', 'openshift'] as const;
const PODWIRE = ['DaemonSet podwire', 'initContainers', 'install'] as const;
const TOKEN = ['DaemonSet podwire', 'containers', 'token'] as const;
const AGENT = ['DaemonSet podwire-agent', 'containers', 'calico-node'] as const;
type Container = typeof PODWIRE | typeof TOKEN | typeof AGENT;

/** Finds out what each component changes, by comparing the rendered objects. */
export function chartSettings({ installations, components }: RenderedChoices): ChartSettings {
  const base = installations['bgp'] ?? [];
  const changes = (component: string | undefined, container: Container): Variables => {
    if (component === undefined) return {};
    const before = variablesOf(base, container);
    const after = Object.entries(variablesOf(components[component] ?? [], container));
    return Object.fromEntries(after.filter(([name, value]) => JSON.stringify(before[name]) !== JSON.stringify(value)));
  };
  const choicesOf = (container: Container): Choices => ({
    installation: mapValues(installations, (objects) => variablesOf(objects, container)),
    addressFamilies: mapValues(FAMILIES, (component) => changes(component, container)),
    platform: Object.fromEntries(PLATFORMS.map((platform) => [platform, changes(platform, container)])),
    cniVersion: mapValues(CNI_VERSIONS, (component) => changes(component, container)),
    typha: changes('typha', container),
    gc: container === PODWIRE ? changes('gc', TOKEN) : {},
  });
  return {
    podwire: choicesOf(PODWIRE),
    agent: choicesOf(AGENT),
    folders: {
      '': foldersOf(base),
      ...Object.fromEntries(PLATFORMS.map((platform) => [platform, foldersOf(components[platform] ?? [])])),
    },
  };
}

function variablesOf(objects: readonly Mutable[], [name, list, container]: Container): Variables {
  const object = objects.find((candidate) => nameOf(candidate) === name);
  const env = valueAt(object, 'spec', 'template', 'spec', list, container, 'env') ?? [];
  const entries = (Array.isArray(env) ? env : []).map((entry) => {
    const { name: variable, ...value } =
      typeof entry === 'object' && entry !== null && !Array.isArray(entry) ? entry : {};
    return [typeof variable === 'string' ? variable : '', value] as const;
  });
  return Object.fromEntries(entries);
}

function foldersOf(objects: readonly Mutable[]): Readonly<Record<'programs' | 'configs', Mutable>> {
  const object = objects.find((candidate) => nameOf(candidate) === PODWIRE[0]);
  const pathOf = (volume: string) => valueAt(object, 'spec', 'template', 'spec', 'volumes', volume, 'hostPath', 'path');
  return { programs: pathOf('programs') ?? '', configs: pathOf('configs') ?? '' };
}

function mapValues<Value, Result>(
  record: Readonly<Record<string, Value>>,
  change: (value: Value) => Result,
): Readonly<Record<string, Result>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
