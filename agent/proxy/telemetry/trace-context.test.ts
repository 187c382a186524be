import { readTraceId, TraceStarter, traceIdOfLine, traceLineBytes } from './trace-context.js';

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

test('a started trace is valid, even from random bytes that are all zero, and differs from the next', () => {
  const target = Buffer.alloc(2 * traceLineBytes);
  new TraceStarter(() => {}).writeLine(target, 0);
  expect(readTraceId(target.toString('latin1', 'traceparent: '.length, traceLineBytes - 2))).toBe(
    traceIdOfLine(target, 0),
  );
  let next = 0;
  const starter = new TraceStarter((bytes) => {
    for (let at = 0; at < bytes.length; at += 1) {
      next = (Math.imul(next, 1664525) + 1013904223) >>> 0;
      bytes[at] = next >>> 24;
    }
  });
  const seen = new Set<string>();
  for (let round = 0; round < 300; round += 1) {
    starter.writeLine(target, traceLineBytes);
    const line = target.toString('latin1', traceLineBytes);
    expect(line).toMatch(/^traceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-01\r\n$/);
    seen.add(line);
  }
  expect(seen.size).toBeGreaterThan(200);
});
