import { startExecutable, type ExecutableStart, type RunningExecutable } from './run-executable.ts';
import { runtimeEnvironment, runtimeStdin, type RuntimeCall, type RuntimeConfig } from './runtime-call.ts';

/** A call of the plugin, and how the executable is started for it. */
export interface PluginStart extends RuntimeCall, Pick<ExecutableStart, 'within' | 'executable' | 'directory'> {
  readonly config: RuntimeConfig;
}

/** Starts the executable as a runtime does. */
export function startPlugin({ within, executable, directory, config, ...call }: PluginStart): RunningExecutable {
  return startExecutable({
    environment: runtimeEnvironment(call),
    stdin: runtimeStdin(config),
    ...(within && { within }),
    ...(executable !== undefined && { executable }),
    ...(directory !== undefined && { directory }),
  });
}
