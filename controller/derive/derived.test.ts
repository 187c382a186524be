import { Each, OnDemand } from './derived.js';
import { Graph } from './graph.js';
import { Grouping } from './grouping.js';
import { Input, type Table } from './table.js';

interface Person {
  readonly name: string;
  readonly town: string;
}

let graph: Graph;
let people: Input<Person>;
/** What was worked out. */
let worked: string[];

beforeEach(() => {
  graph = new Graph();
  people = new Input(graph);
  worked = [];
});

function meet(name: string, town: string | undefined): void {
  people.set(name, town === undefined ? undefined : { name, town });
}

function settle(): string[] {
  worked = [];
  graph.settle();
  return worked.sort();
}

/** Whether each person is alone in town, and a greeting that depends on that alone. */
function greetings(): Table<string> {
  const byTown = new Grouping(people, ({ town }) => [town]);
  const alone = new Each(people, ({ name, town }) => {
    worked.push(`alone ${name}`);
    return { isAlone: byTown.get(town).length === 1 };
  });
  return new Each(alone, ({ isAlone }, _, name) => {
    worked.push(`greet ${name}`);
    return isAlone ? `poor ${name}` : `hello ${name}`;
  });
}

test('a value is worked out again where something that it read has changed, and its readers where it comes out another', () => {
  const greeting = greetings();
  meet('ann', 'york');
  meet('bob', 'bath');
  meet('cid', 'bath');
  settle();
  expect([...greeting.entries().values()]).toEqual(['poor ann', 'hello bob', 'hello cid']);
  meet('dan', 'bath');
  // Bob and Cid have company still, so nobody greets them anew.
  expect(settle()).toEqual(['alone bob', 'alone cid', 'alone dan', 'greet dan']);
  meet('ann', 'hull');
  expect(settle()).toEqual(['alone ann']);
  meet('dan', undefined);
  meet('cid', undefined);
  expect(settle()).toEqual(['alone bob', 'greet bob']);
  expect(greeting.entries()).toEqual(
    new Map([
      ['ann', 'poor ann'],
      ['bob', 'poor bob'],
    ]),
  );
});

test('what comes again as it was changes nothing', () => {
  greetings();
  meet('ann', 'york');
  settle();
  meet('ann', 'york');
  expect(settle()).toEqual([]);
});

test('who asks only whether there is anybody is not asked again as long as there is', () => {
  const byTown = new Grouping(people, ({ town }) => [town]);
  const towns = new Input<string>(graph);
  const inhabited = new Each(towns, (town) => {
    worked.push(town);
    return byTown.has(town);
  });
  towns.set('1', 'york');
  expect(settle()).toEqual(['york']);
  meet('ann', 'york');
  expect(settle()).toEqual(['york']);
  meet('bob', 'york');
  meet('ann', 'bath');
  expect([settle(), inhabited.get('1')]).toEqual([[], true]);
  meet('bob', undefined);
  expect([settle(), inhabited.get('1')]).toEqual([['york'], false]);
});

test('what is worked out on demand lives, and tells what is wrong, for as long as somebody reads it', () => {
  const sizes = new OnDemand<number>(graph, (town, check) => {
    worked.push(town);
    check.problems.push({ message: `${town} is far` } as never);
    return town.length;
  });
  const far = new Each(people, ({ town }) => sizes.get(town));
  meet('ann', 'york');
  meet('bob', 'york');
  expect([settle(), far.get('bob')]).toEqual([['york'], 4]);
  meet('ann', 'chester');
  expect(settle()).toEqual(['chester']);
  expect(graph.problems().map(({ message }) => message)).toEqual(['chester is far', 'york is far']);
  meet('bob', undefined);
  expect(settle()).toEqual([]);
  expect(sizes.entries()).toEqual(new Map([['chester', 7]]));
  expect(graph.problems().map(({ message }) => message)).toEqual(['chester is far']);
});

test('members come in the order of their keys, whenever they came', () => {
  const byTown = new Grouping(people, ({ town }) => [town]);
  const names = () => byTown.get('york').map(({ name }) => name);
  for (const name of ['cid', 'ann', 'bob']) meet(name, 'york');
  expect(names()).toEqual(['ann', 'bob', 'cid']);
  meet('cid', 'bath');
  meet('ann', undefined);
  meet('abe', 'york');
  expect(names()).toEqual(['abe', 'bob']);
});
