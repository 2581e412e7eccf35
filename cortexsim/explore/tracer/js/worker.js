// Runs the models in a separate thread, so that drawing never waits. The page sends the input; the logits of every step
are returned.

let networks = null;
let states = []; // the recurrent model's state at every time so far: a run can continue from any of them
let current = 0; // a newer request ends an older run

const pause = () => new Promise((resume) => setTimeout(resume, 0));

async function run({ version, size, from, until, frame, mask, maskFrom, cut }) {
  const { recurrent, unshared, deep } = networks;
  const entering = recurrent.look(frame, size);
  const masking = mask ? recurrent.look(mask, size) : null;
  states.length = from;
  for (let time = from; time <= until; time++) {
    const enters = masking && time >= maskFrom ? masking : entering;
    states[time] = time === 0 ? enters : recurrent.step(states[time - 1], enters, size, time, cut);
    postMessage({ version, model: "recurrent", time, logits: recurrent.read(states[time], size) });
    if (time % 4 === 3) {
      await pause();
      if (version !== current) return;
    }
  }
  if (from > 0) return;
  // the controls see the drawing from time 0 only, whatever changed later
  for (const [model, network] of [["unshared", unshared], ["deep", deep]]) {
    const shown = network.look(frame, size);
    let state = shown;
    for (let time = 0; time <= network.lastTime; time++) {
      if (time > 0) state = network.step(state, network.sustained ? shown : null, size, time);
      // a feedforward net answers once, at its end
      if (network.sustained || time === network.lastTime) {
        postMessage({ version, model, time, logits: network.read(state, size) });
      }
      await pause();
      if (version !== current) return;
    }
  }
}

onmessage = ({ data }) => {
  if (data.models) {
    networks = Object.fromEntries(Object.entries(data.models).map(([name, stored]) => [name, networkFrom(stored)]));
    return;
  }
  if (data.channelsAt !== undefined) {
    const state = states[data.channelsAt];
    if (state && data.version === current) {
      postMessage({ version: current, model: "channels", time: data.channelsAt, rates: networks.recurrent.sent(state) });
    }
    return;
  }
  current = data.version;
  run(data);
};
