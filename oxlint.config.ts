import { defineConfig, type OxlintConfig } from 'oxlint';

type Override = NonNullable<OxlintConfig['overrides']>[number];

interface FolderImports {
  readonly values: readonly string[];
  /** With `import type` only. */
  readonly types: readonly string[];
  readonly packages: readonly string[];
  readonly node: 'none' | 'any';
}

// Which folder below src/ imports which: main -> { commands, install, cli } -> attachment -> { plan, kernel, delegate,
// cluster, agent, journal, log } -> { cni, netconf, netlink, system, json } -> address. The table has the imports that
// exist and no more, so that a new arrow is a decision. Every folder may also import the files of IMPORTABLE_BY_ALL.
// docs/architecture.md shows the arrows. Folders with effects know only the types of what they apply.
const FOLDERS = {
  address: { values: [], types: [], packages: ['ip-num'], node: 'none' },
  json: { values: ['address'], types: [], packages: [], node: 'none' },
  drawing: { values: [], types: [], packages: [], node: 'none' },
  system: { values: [], types: [], packages: [], node: 'any' },
  netlink: { values: ['address', 'system'], types: ['plan'], packages: ['netlink'], node: 'any' },
  cni: { values: ['address', 'json'], types: [], packages: [], node: 'none' },
  netconf: { values: ['cni', 'json'], types: [], packages: [], node: 'none' },
  plan: { values: ['address', 'json'], types: ['cni', 'netconf'], packages: [], node: 'none' },
  agent: { values: ['system'], types: ['cni', 'netconf'], packages: [], node: 'any' },
  cluster: {
    values: ['address', 'json', 'system'],
    types: ['cni', 'netconf', 'plan'],
    packages: ['yaml'],
    node: 'any',
  },
  delegate: { values: ['cni', 'json', 'system'], types: ['address', 'plan'], packages: [], node: 'any' },
  journal: { values: ['cni', 'json', 'plan', 'system'], types: [], packages: [], node: 'any' }, // records are attachments
  kernel: { values: ['address', 'netlink', 'system'], types: ['plan'], packages: ['netlink'], node: 'any' },
  log: { values: ['system'], types: ['netconf'], packages: [], node: 'any' },
  operations: { values: ['log', 'system'], types: [], packages: [], node: 'any' },
  telemetry: {
    values: ['log', 'system'],
    types: ['cluster', 'cni', 'netconf', 'plan'],
    packages: [],
    node: 'any',
  },
  metrics: { values: [], types: ['operations'], packages: ['prom-client'], node: 'none' },
  attachment: {
    values: ['cluster', 'cni', 'plan', 'system'],
    types: ['address', 'agent', 'delegate', 'journal', 'kernel', 'log', 'netconf'],
    packages: [],
    node: 'none',
  },
  commands: {
    values: ['attachment', 'cluster', 'cni', 'plan', 'system'],
    types: ['address', 'journal', 'kernel', 'netconf'],
    packages: [],
    node: 'none',
  },
  install: {
    values: ['cluster', 'delegate', 'json', 'log', 'metrics', 'netconf', 'operations', 'system'],
    types: ['address', 'cni'],
    packages: [],
    node: 'any',
  },
  cri: { values: [], types: [], packages: ['@grpc/grpc-js', 'protobufjs'], node: 'any' },
  diagnosis: { values: ['address', 'plan'], types: ['cni', 'netconf'], packages: [], node: 'none' },
  cli: {
    values: [
      'address',
      'agent',
      'attachment',
      'cluster',
      'cni',
      'cri',
      'delegate',
      'diagnosis',
      'drawing',
      'install',
      'journal',
      'json',
      'kernel',
      'log',
      'netconf',
      'netlink',
      'plan',
      'system',
    ],
    types: ['metrics'],
    packages: ['@kubernetes/client-node', 'cli-table3', 'commander', 'netlink', 'tar-stream', 'yaml'],
    node: 'any',
  },
} as const satisfies Record<string, FolderImports>;

// Where a parser brands a value. Elsewhere, only `as const` is allowed.
const BRANDING = [
  'src/cni/attachment-id.ts',
  'src/json/json.ts',
  'src/netlink/link-message.ts',
  'src/address/mac-address.ts',
  'test/lab/api-server/request-audit.ts',
];

/** They import nothing themselves. */
const IMPORTABLE_BY_ALL = ['cni/error.ts', 'system/error-text.ts'];

// What any file may import from node:process. It depends on no argument, environment variable or standard stream of this
// process.
const NODE_PROCESS = {
  name: 'node:process',
  allowImportNames: ['arch', 'getBuiltinModule', 'hrtime', 'uptime'],
  message: 'Only src/main.ts touches process: pass in what is needed from it.',
};

const PACKAGES = [
  '@grpc/grpc-js',
  '@kubernetes/client-node',
  'cli-table3',
  'commander',
  'ip-num',
  'koffi',
  'netlink',
  'prom-client',
  'protobufjs',
  'tar-stream',
  'yaml',
];

export default defineConfig({
  options: { typeAware: true, denyWarnings: true, reportUnusedDisableDirectives: 'error' },
  plugins: ['typescript', 'unicorn', 'oxc', 'import', 'promise', 'vitest'],
  categories: { correctness: 'error', suspicious: 'error' },
  env: { node: true, es2024: true },
  ignorePatterns: ['dist/**', 'node_modules/**'],
  rules: {
    eqeqeq: 'error',
    'no-console': 'error',
    'no-eval': 'error',
    'no-new-func': 'error',
    'no-param-reassign': 'error',
    'no-throw-literal': 'error',
    'no-var': 'error',
    'prefer-const': 'error',
    'no-control-regex': 'off', // names from outside are checked for control characters on purpose
    'no-underscore-dangle': 'off',
    'unicorn/consistent-function-scoping': 'off', // a small function reads best beside its one use
    'import/no-default-export': 'error',
    'import/no-cycle': 'error',
    'import/no-named-as-default-member': 'off', // fc.array reads better than array
    'import/no-unassigned-import': 'off',
    // `{ a, ...rest }` is how a member is left out, and what `using _held` holds is used by its end.
    'no-unused-vars': ['error', { ignoreRestSiblings: true, varsIgnorePattern: '^_' }],
    'vitest/no-conditional-expect': 'off',
    'unicorn/no-process-exit': 'error',
    'unicorn/prefer-node-protocol': 'error',
    'typescript/await-thenable': 'error',
    'typescript/consistent-type-assertions': ['error', { assertionStyle: 'as', objectLiteralTypeAssertions: 'never' }],
    'typescript/consistent-type-imports': 'error',
    'typescript/no-deprecated': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-floating-promises': ['error', { ignoreVoid: false }],
    'typescript/no-misused-promises': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/no-unnecessary-condition': 'error',
    'typescript/no-unsafe-argument': 'error',
    'typescript/no-unsafe-assignment': 'error',
    'typescript/no-unsafe-call': 'error',
    'typescript/no-unsafe-member-access': 'error',
    'typescript/no-unsafe-return': 'error',
    'typescript/no-unsafe-type-assertion': 'error',
    'typescript/only-throw-error': 'error',
    'typescript/prefer-promise-reject-errors': 'error',
    'typescript/restrict-plus-operands': 'error',
    'typescript/restrict-template-expressions': ['error', { allowNumber: true }],
    'typescript/return-await': ['error', 'error-handling-correctness-only'],
    'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    'typescript/unbound-method': 'error',
  },
  overrides: [
    {
      files: ['src/**'],
      rules: {
        'no-restricted-globals': [
          'error',
          { name: 'process', message: 'Only src/main.ts touches process: pass in what is needed from it.' },
        ],
      },
    },
    { files: ['src/main.ts'], rules: { 'no-restricted-globals': 'off', 'unicorn/no-process-exit': 'off' } },
    { files: ['scripts/bench/bare/program.ts'], rules: { 'unicorn/no-process-exit': 'off' } },
    { files: ['src/system/native-addon.ts', 'src/system/node-process.ts'], rules: { 'no-restricted-globals': 'off' } },
    {
      files: ['src/*.ts'],
      rules: { 'no-restricted-imports': ['error', { paths: [NODE_PROCESS] }] },
    },
    { files: BRANDING, rules: { 'typescript/no-unsafe-type-assertion': 'off' } },
    { files: ['*.config.ts'], rules: { 'import/no-default-export': 'off' } },
    {
      files: ['build/*.cjs', 'scripts/*.mjs'], // JavaScript, because no types can be stripped where these run
      rules: {
        'typescript/no-require-imports': 'off',
        'typescript/no-unsafe-argument': 'off',
        'typescript/no-unsafe-assignment': 'off',
        'typescript/no-unsafe-call': 'off',
        'typescript/no-unsafe-member-access': 'off',
        'typescript/no-unsafe-return': 'off',
      },
    },
    {
      files: ['test/**'],
      rules: {
        'vitest/valid-title': 'off', // tables of one-line cases
        'vitest/no-standalone-expect': [
          'error',
          { additionalTestBlockFunctions: ['beforeEach', 'afterEach', 'beforeAll', 'afterAll'] },
        ],
        'typescript/no-unsafe-assignment': 'off', // vitest's matchers are `any`: { message: expect.stringContaining('…') }
      },
    },
    ...Object.entries<FolderImports>(FOLDERS).map(([folder, allowed]) => restrict(`src/${folder}/**`, folder, allowed)),
  ],
});

function restrict(files: string, folder: string, { values, types, packages, node }: FolderImports): Override {
  const others = Object.keys(FOLDERS).filter((other) => other !== folder && !values.includes(other));
  const inFolders = (names: readonly string[]) => [
    ...names.map((name) => `**/${name}/**`),
    ...IMPORTABLE_BY_ALL.map((file) => `!**/${file}`),
  ];
  const patterns = [
    {
      group: inFolders(others.filter((other) => !types.includes(other))),
      message: `src/${folder} may not import this: see the table in oxlint.config.ts.`,
    },
    {
      group: inFolders(types.filter((name) => !values.includes(name))),
      allowTypeImports: true,
      message: `src/${folder} may take only types from here.`,
    },
    {
      group: PACKAGES.filter((name) => !packages.includes(name)).flatMap((name) => [name, `${name}/*`]),
      message: `src/${folder} may not import this package: see the table in oxlint.config.ts.`,
    },
    { group: node === 'any' ? [] : ['node:*'], message: `src/${folder} is pure.` },
  ];
  return { files: [files], rules: { 'no-restricted-imports': ['error', { paths: [NODE_PROCESS], patterns }] } };
}
