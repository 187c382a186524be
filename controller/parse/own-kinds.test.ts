import { parse } from 'yaml';
import { formatPath } from './field-problem.js';
import { parseManifest } from './parse-manifest.js';
import { ownKindExamples } from './test-examples.js';

const good = ownKindExamples.filter(({ refused }) => refused === undefined);
const bad = ownKindExamples.filter(({ refused }) => refused !== undefined);

test.each(good)('$what is read', ({ yaml }) => {
  expect(parseManifest(parse(yaml))).toMatchObject({ type: 'manifest' });
});

test.each(bad)('$what is refused, by field and with a fix', ({ yaml, refused }) => {
  const parsed = parseManifest(parse(yaml));
  const problems = parsed.type === 'refused' ? parsed.problems : [];
  const told = problems.map(
    ({ path, value, message, fix }) => `${formatPath(path)}: ${value} ${message}; ${fix}`,
  );
  expect(told).toContainEqual(expect.stringMatching(refused?.parser ?? /never/));
});
