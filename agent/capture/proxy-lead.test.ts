import { ProxyLead } from './proxy-lead.js';

function setUp({ hasLed = false } = {}) {
  const told: string[] = [];
  const timers: (() => void)[] = [];
  const lead = new ProxyLead<string>({
    hasLed,
    after: (_delayMs, call) => {
      timers.push(call);
      return { cancel: () => void timers.splice(timers.indexOf(call), 1) };
    },
    onLeading: (session) => told.push(`${session} leads`),
    onSuperseded: (session) => told.push(`${session} is superseded`),
  });
  return { lead, told, timers };
}

test('a proxy that comes alone leads, and the next one after its end', () => {
  const { lead, told } = setUp();
  expect(lead.greeted('a', 'fresh')).toBe(true);
  lead.gone('a');
  expect(lead.greeted('b', 'fresh')).toBe(true);
  expect(told).toEqual([]);
});

test('a second one leads once it claims to, and the first one is told', () => {
  const { lead, told } = setUp();
  lead.greeted('old', 'fresh');
  expect(lead.greeted('new', 'fresh')).toBe(false);
  lead.claim('new');
  expect(told).toEqual(['old is superseded', 'new leads']);
  lead.claim('old');
  lead.resign('old');
  lead.gone('old');
  expect([told.length, lead.leads('new')]).toEqual([2, true]);
});

test('where the new one ends, the one that it had replaced leads again', () => {
  const { lead, told } = setUp();
  lead.greeted('old', 'fresh');
  lead.greeted('new', 'fresh');
  lead.claim('new');
  lead.gone('new');
  expect(told.at(-1)).toBe('old leads');
});

test('a leader that drains leaves the lead to one that does not, and never gets it back', () => {
  const { lead, told } = setUp();
  lead.greeted('old', 'fresh');
  lead.greeted('new', 'fresh');
  lead.resign('old');
  expect(told).toEqual(['new leads']);
  lead.gone('new');
  expect([told.length, lead.leads('old')]).toEqual([1, false]);
});

test('after a change of capture the lead stays where it was, whoever comes first', () => {
  for (const order of [
    ['old', 'new'],
    ['new', 'old'],
  ]) {
    const { lead, told, timers } = setUp();
    for (const session of order) lead.greeted(session, session === 'new' ? 'leading' : 'superseded');
    expect([told, timers, lead.leads('new')]).toEqual([[], [], true]);
  }
});

test('one that was replaced leads again where its successor does not come in time', () => {
  const { lead, told, timers } = setUp();
  expect(lead.greeted('old', 'superseded')).toBe(false);
  timers[0]?.();
  expect([told, lead.leads('old')]).toEqual([['old leads'], true]);
});

test('the one that led takes the lead from a newcomer that found it free', () => {
  const { lead, told } = setUp();
  lead.greeted('new', 'fresh');
  expect(lead.greeted('old', 'leading')).toBe(true);
  expect(told).toEqual(['new is superseded']);
});

test('after a hand-over a newcomer waits for the one that led, and leads where that does not come in time', () => {
  const { lead, told, timers } = setUp({ hasLed: true });
  expect(lead.greeted('new', 'fresh')).toBe(false);
  expect(lead.greeted('old', 'leading')).toBe(true);
  expect([told, timers]).toEqual([[], []]);
  const other = setUp({ hasLed: true });
  other.lead.greeted('new', 'fresh');
  other.timers[0]?.();
  expect(other.told).toEqual(['new leads']);
});

test('one that claimed the lead keeps it when the one that led comes late', () => {
  const { lead, told } = setUp({ hasLed: true });
  lead.greeted('new', 'fresh');
  lead.claim('new');
  expect(lead.greeted('old', 'leading')).toBe(false);
  expect([told, lead.leads('new')]).toEqual([['new leads'], true]);
  lead.gone('new');
  expect(lead.leads('old')).toBe(true);
});
