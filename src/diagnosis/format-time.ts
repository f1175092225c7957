/** A time of day in UTC, with the date if it is another day than `nowMs`: `02:31:04 UTC`, `2026-11-26 02:31:04 UTC`. */
export function formatTime(timeMs: number, nowMs: number): string {
  const [day = '', time = ''] = new Date(timeMs).toISOString().slice(0, 19).split('T');
  const isToday = new Date(nowMs).toISOString().startsWith(day);
  return isToday ? `${time} UTC` : `${day} ${time} UTC`;
}

/** A duration in its two largest units: `41 min`, `9 h 12 min`, `3 d 4 h`. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.round(Math.abs(durationMs) / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (days > 0) return joinUnits(`${days} d`, hours % 24, 'h');
  if (hours > 0) return joinUnits(`${hours} h`, minutes % 60, 'min');
  return minutes > 0 ? `${minutes} min` : `${seconds} s`;
}

/** A time, and how long ago it was or how far ahead it is: `02:31:04 UTC, 41 min ago`. */
export function formatMoment(timeMs: number, nowMs: number): string {
  const distance = formatDuration(nowMs - timeMs);
  return `${formatTime(timeMs, nowMs)}, ${timeMs <= nowMs ? `${distance} ago` : `in ${distance}`}`;
}

function joinUnits(first: string, second: number, unit: string): string {
  return second === 0 ? first : `${first} ${second} ${unit}`;
}
