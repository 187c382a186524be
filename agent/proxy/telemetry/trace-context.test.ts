import {
  readTraceId,
  startTrace,
  traceIdOfLine,
  traceIdWords,
  traceLineBytes,
  writeTraceLine,
} from './trace-context.js';

const trace = '4bf92f3577b34da6a3ce929d0e0e4736';

test('a valid traceparent gives its trace id', () => {
  expect(readTraceId(`00-${trace}-00f067aa0ba902b7-01`)).toBe(trace);
  expect(readTraceId(`00-${trace}-00f067aa0ba902b7-ff`)).toBe(trace);
  expect(readTraceId(`cc-${trace}-00f067aa0ba902b7-01-what-the-future`)).toBe(trace);
});

test.each([
  '',
  trace,
  `00-${trace}-00f067aa0ba902b7-01-more`,
  `00-${trace.toUpperCase()}-00f067aa0ba902b7-01`,
  `00-${trace}-00f067aa0ba902b7-1`,
  `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
  `00-${trace}-${'0'.repeat(16)}-01`,
  `ff-${trace}-00f067aa0ba902b7-01`,
  `cc-${trace}-00f067aa0ba902b7-01what`,
  ` 00-${trace}-00f067aa0ba902b7-01`,
  `00-${trace}-00f067aa0ba902b7-01, 00-${trace}-00f067aa0ba902b7-01`,
])('%j is no traceparent', (text) => {
  expect(readTraceId(text)).toBe('');
});

test('a started trace is valid, even from random numbers that are all zero', () => {
  const ids = new Uint32Array(traceIdWords);
  const target = Buffer.alloc(2 * traceLineBytes);
  for (const random of [0, 0xffff_ffff, 0x0102_0304]) {
    startTrace(ids, (words) => void words.fill(random));
    writeTraceLine(ids, target, traceLineBytes);
    const line = target.toString('latin1', traceLineBytes);
    expect(line).toMatch(/^traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-01\r\n$/);
    expect(readTraceId(line.slice('traceparent: '.length, -2))).toBe(traceIdOfLine(target, traceLineBytes));
  }
});
