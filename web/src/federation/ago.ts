/** How long ago a time was, as a person says it: the largest unit alone. */
export function ago(time: string, now = Date.now()): string {
  const s = Math.max(0, (now - Date.parse(time)) / 1000);
  if (!Number.isFinite(s)) return '–';
  if (s < 60) return 'just now';
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ago`;
  const days = Math.floor(s / 86_400);
  return days === 1 ? 'yesterday' : `${days} days ago`;
}
