import assert from 'node:assert/strict';
import { it } from 'node:test';
import { idleTelemetry } from '../helpers/idle-telemetry.ts';

function devices(text: string) {
  return text.split('\n').filter((line) => line.startsWith('vialer_middleware_devices{'));
}

it('a count that never ends delays no scrape, is not asked for twice, and the last figures stay', async () => {
  let asked = 0;
  let answer: (() => void) | undefined;
  const telemetry = idleTelemetry({
    countDevices: async () => {
      asked += 1;
      if (asked > 1) await new Promise<void>((resolve) => (answer = resolve));
      return [{ appId: 'a', platform: 'apns', devices: 7 }];
    },
  });
  await telemetry.countDevices();
  void telemetry.countDevices();
  for (let times = 0; times < 3; times += 1) {
    const text = await telemetry.readMetrics();
    assert.deepEqual(devices(text), ['vialer_middleware_devices{app="a",platform="apns"} 7']);
  }
  assert.equal(asked, 2);
  answer?.();
});

it('a count that fails is tried again later, not at the next scrape', async () => {
  let asked = 0;
  const telemetry = idleTelemetry({
    countDevices: async () => {
      asked += 1;
      throw new Error('the database is gone');
    },
  });
  for (let times = 0; times < 3; times += 1) await telemetry.readMetrics();
  assert.equal(asked, 1);
});

it('apps past the hundredth are counted together', async () => {
  const apps = Array.from({ length: 150 }, (_, index) => ({
    appId: `app${index}`,
    platform: 'apns',
    devices: 1,
  }));
  const telemetry = idleTelemetry({ countDevices: async () => apps });
  await telemetry.countDevices();
  const lines = devices(await telemetry.readMetrics());
  assert.equal(lines.length, 101);
  assert.ok(lines.includes('vialer_middleware_devices{app="other",platform="apns"} 50'));
});

it('a scrape has them counted again a minute after the last count, or later where counting takes long', async (t) => {
  const clock = { now: 1_000_000 };
  t.mock.method(performance, 'now', () => clock.now);
  let asked = 0;
  let takesMs = 0;
  const telemetry = idleTelemetry({
    countDevices: async () => {
      asked += 1;
      clock.now += takesMs;
      return [];
    },
  });
  const askedAfter = async (ms: number): Promise<number> => {
    clock.now += ms;
    await telemetry.readMetrics();
    return asked;
  };
  assert.equal(await askedAfter(0), 1);
  assert.equal(await askedAfter(59_999), 1);
  takesMs = 100;
  assert.equal(await askedAfter(1), 2);
  assert.equal(await askedAfter(99_999), 2, 'a thousand times as long as it took');
  assert.equal(await askedAfter(1), 3);
});

it('an app whose devices are gone is not shown any more', async () => {
  let counts = [{ appId: 'a', platform: 'apns', devices: 7 }];
  const telemetry = idleTelemetry({ countDevices: async () => counts });
  await telemetry.countDevices();
  counts = [];
  await telemetry.countDevices();
  assert.deepEqual(devices(await telemetry.readMetrics()), []);
});
