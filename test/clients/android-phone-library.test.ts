import { it } from 'node:test';
import { startClientScene } from '../helpers/client-scene.ts';
import { ANDROID_PIL } from '../helpers/phone-library-apps.ts';
import { replayClient } from '../helpers/replay-client.ts';

it('the example app of the Android phone library is served unmodified', async (t) => {
  const scene = await startClientScene(t, [ANDROID_PIL]);
  await replayClient(t, scene, ANDROID_PIL);
});
