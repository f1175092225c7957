import { readFileSync } from 'node:fs';

/**
 * The number of CPUs of this machine. `availableParallelism` of node:os would also count what a control group may use, but loading
 * that module takes as long as everything else that podwire reads.
 *
 * @param path has ranges such as `0-3,8`
 * @returns 1 if the file cannot be read
 * @see Documentation/ABI/testing/sysfs-devices-system-cpu
 */
export function cpuCount(path = '/sys/devices/system/cpu/online'): number {
  try {
    const ranges = readFileSync(path, 'latin1').trim().split(',');
    const counts = ranges.map((range) => {
      const [first = '', last = first] = range.split('-');
      return Number(last) - Number(first) + 1;
    });
    const count = counts.reduce((sum, each) => sum + each, 0);
    return Number.isInteger(count) && count > 0 ? count : 1;
  } catch {
    return 1;
  }
}
