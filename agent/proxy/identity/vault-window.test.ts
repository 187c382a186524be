import { VaultWindow } from './vault-window.js';

function setUp() {
  const sent: string[] = [];
  const window = new VaultWindow({
    putSecret: (workload) => void sent.push(`put ${workload}`),
    requestSecret: (workload) => void sent.push(`get ${workload}`),
    dropSecret: (workload) => void sent.push(`drop ${workload}`),
  });
  return { sent, window };
}

test('no more than 32 requests are unanswered, and all go in order', () => {
  const { sent, window } = setUp();
  const all = Array.from({ length: 100 }, (_, at) => `get w${at}`);
  for (const one of all) window.requestSecret(one.slice(4));
  expect(sent).toHaveLength(32);
  window.answered();
  expect(sent).toHaveLength(33);
  for (let times = 0; times < 99; times += 1) window.answered();
  expect(sent).toEqual(all);
});

test('another connection begins afresh, also after requests that nobody heard', () => {
  const { sent, window } = setUp();
  for (let at = 0; at < 40; at += 1) window.putSecret(`w${at}`, 's');
  window.reset();
  window.answered();
  expect(sent).toHaveLength(32);
  window.dropSecret('x');
  expect(sent.at(-1)).toBe('drop x');
});
