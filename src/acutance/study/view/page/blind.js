// A blind test: two pictures, no names; the server knows what they are and writes the choice down.
const trial = { info: null, number: 0, began: 0, sending: false, over: false, alternate: false };

async function showTrial(number) {
  trial.number = number;
  trial.over = number >= data.trials;
  $("place").textContent = `${Math.min(number, data.trials)} of ${data.trials} judged`;
  if (trial.over) return showRanking();
  try {
    const info = await stage.source.info(number);
    stage.item = number;
    stage.frame = info.frame;
    trial.info = info;
    stage.zoomTo(null);
  } catch (error) {
    return say(error.message);
  }
  trial.alternate = false;
  arrangeTrial();
  trial.began = performance.now();
  say(data.hasReference ? "Which is nearer to the original?" : "Which looks better?");
}

function arrangeTrial() {
  const { sizes } = trial.info;
  if (trial.alternate) {
    const id = trial.alternate;
    stage.panes = [{ layer: { id }, size: sizes[id], label: id === "left" ? "Left" : "Right", rect: [0, 0, 1, 1] }];
  } else {
    // In a row, the original between; where that is narrow, left and right in a row above it.
    const wide = $("stage").clientWidth > $("stage").clientHeight;
    const original = data.hasReference && "original" in sizes ? [["original", "Original"]] : [];
    const left = ["left", "Left"], right = ["right", "Right"];
    const order = wide ? [left, ...original, right] : [left, right, ...original];
    const columns = wide ? order.length : 2, rows = Math.ceil(order.length / columns);
    const rects = order.map((_, k) => [(k % columns) / columns, Math.floor(k / columns) / rows, 1 / columns, 1 / rows]);
    stage.panes = order.map(([id, label], k) => ({ layer: { id }, size: sizes[id], label, rect: rects[k] }));
  }
  tags();
  stage.onView();
  stage.ask();
}

async function chooseSide(choice) {
  if (trial.sending || trial.over) return;
  trial.sending = true;
  try {
    const answer = await fetch("choice", {
      method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ trial: trial.number, choice, seconds: Math.round(performance.now() - trial.began) / 1000 }),
    });
    if (!answer.ok) throw new Error(await answer.text());
    await showTrial((await answer.json()).next);
  } catch (error) {
    say(`Not written down: ${error.message}`);
  }
  trial.sending = false;
}

async function showRanking() {
  stage.panes = [];
  stage.frame = null;
  tags();
  stage.ask();
  for (const id of ["left", "tie", "right"]) $(id).disabled = true;
  $("choices").hidden = true;
  $("scores").hidden = false;
  $("scores-title").textContent = "Ranking";
  try {
    const found = await stage.source.ask("ranking");
    $("table").replaceChildren(tableOf(found.head, found.rows, []), ...found.notes.map((note) => element("p", note, { class: "soft" })));
    say("All pairs are judged; the choices are written down. This page can be closed.");
  } catch (error) {
    say(error.message);
  }
}

function alternate() {
  if (trial.over) return;
  trial.alternate = trial.alternate === "left" ? "right" : "left";
  arrangeTrial();
}

function beginBlind() {
  for (const id of ["pictures", "modes", "ends", "split-label", "flicker", "gain-label", "losses", "numbers", "scores"]) $(id).hidden = true;
  $("choices").hidden = false;
  $("title").textContent = "Blind test";
  bindZoom();
  $("left").onclick = () => chooseSide("left");
  $("tie").onclick = () => chooseSide("tie");
  $("right").onclick = () => chooseSide("right");
  const pan = (x, y) => () => stage.pan(x, y);
  listenKeys([
    ["← →", "the left, the right one is better"], ["↓", "no difference"], ["Space", "one over the other, in turns"],
    ["b", "beside each other again"], ["w a s d", "move"], ["+ -", "larger, smaller"], ["0 1", "the whole picture; pixel to pixel"], ["?", "these keys"],
  ], {
    ...ZOOM_KEYS, ArrowLeft: () => chooseSide("left"), ArrowRight: () => chooseSide("right"), ArrowDown: () => chooseSide("tie"),
    " ": alternate, b: () => { trial.alternate = false; arrangeTrial(); },
    w: pan(0, -0.1), s: pan(0, 0.1), a: pan(-0.1, 0), d: pan(0.1, 0),
  });
  new ResizeObserver(() => { if (trial.info && !trial.over) arrangeTrial(); }).observe($("stage"));
  showTrial(data.done);
}
