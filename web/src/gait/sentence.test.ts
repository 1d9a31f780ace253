import { expect, test } from 'vitest';
import { packet, sentence } from './sentence';

const flat = (text: string) => text.replaceAll('\u2009', ' ');
const flow = { size: [200, 322, -1398, -1398], time: [0, 0.06, 0.061, 4.3] };

test('a flow', () => {
  expect(flat(sentence(flow))).toBe(
    'Gait: 4 packets in 4.3 s, 2 up mean 261 B, 2 down mean 1398 B, longest silence 4.2 s',
  );
});
test('one way, one packet, none', () => {
  expect(flat(sentence({ size: [-9], time: [0] }))).toBe('Gait: 1 packet in 0 ms, none up, 1 down mean 9 B');
  expect(sentence({ size: [], time: [] })).toBe('Gait: no packet with payload');
});
test('a packet', () => {
  expect(flat(packet(flow, 2))).toBe('packet 3 of 4: ▼ 1398 B, 1.0 ms after the last, 61 ms in');
  expect(flat(packet(flow, 0))).toBe('packet 1 of 4: ▲ 200 B, 0 ms in');
});
